// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What is known before an instruction: of the registers, and of the frames of the function and its callers.
struct AnalysisState: Hashable {
    /// By number; sixteen can be encoded.
    var registers: [TrackedValue]
    /// The callers' frames first; the last is the function's own.
    var frames: [AnalysisFrame]

    /// A function's state on entry.
    init(arguments: [TrackedValue], callers: [AnalysisFrame]) {
        registers = [TrackedValue](repeating: .unknown, count: 16)
        for (place, argument) in arguments.enumerated() { registers[1 + place] = argument.unlinked }
        frames = callers + [AnalysisFrame()]
        registers[10] = TrackedValue(.frame(callers.count, NumberSet(0)))
    }

    subscript(_ register: Register) -> TrackedValue {
        get { registers[Int(register.rawValue)] }
        set { registers[Int(register.rawValue)] = newValue }
    }

    /// Forgets all registers but these, and the frame pointer.
    mutating func keep(_ live: RegisterSet) {
        for place in registers.indices where place != 10 {
            if !live.contains(Register(rawValue: UInt8(place))) { registers[place] = .unknown }
        }
    }

    func joined(_ other: Self, widening: AnalysisValue.Widening) -> Self {
        var both = self
        for place in registers.indices where registers[place] != other.registers[place] {
            both.registers[place] = registers[place].joined(other.registers[place], widening: widening)
        }
        for place in frames.indices where frames[place] != other.frames[place] {
            both.frames[place] = frames[place].joined(other.frames[place], widening: widening)
        }
        return both
    }

    /// Whether joining another state would change nothing.
    func holds(_ other: Self) -> Bool {
        for place in registers.indices where registers[place] != other.registers[place] {
            if registers[place].joined(other.registers[place]) != registers[place] { return false }
        }
        return zip(frames, other.frames).allSatisfy { $0 == $1 || $0.joined($1, widening: .none) == $0 }
    }

    /// How much there is to be joined.
    var weight: Int { frames.reduce(0) { $0 + $1.cells.count } }

    /// Whether the values are the same, wherever they come from.
    func hasSameValues(as other: Self) -> Bool {
        zip(registers, other.registers).allSatisfy { $0.value == $1.value && $0.link == $1.link }
            && zip(frames, other.frames).allSatisfy { own, their in
                own.cells.count == their.cells.count
                    && zip(own.cells, their.cells).allSatisfy {
                        $0.offset == $1.offset && $0.size == $1.size && $0.value.value == $1.value.value
                            && $0.value.link == $1.value.link
                    }
            }
    }

    // MARK: Frames

    mutating func clearFrames() {
        for place in frames.indices { frames[place].clear() }
    }

    /// Forgets what something behind a pointer wrote.
    ///
    /// - Parameter size: how many bytes at most; nil for any number.
    mutating func clear(behind pointer: AnalysisValue, size: Int?) {
        switch pointer {
        case .frame(let depth, let offsets) where frames.indices.contains(depth):
            let bounds = offsets.signedBounds
            let first = Int(max(bounds.lowerBound, -Int64(StackUse.limit)))
            let last = Int(min(bounds.upperBound, 0))
            let end = size.map { min(last + $0, 0) } ?? 0
            if first < end { frames[depth].clear(first..<end) }
        default:
            if pointer.mayBeFrame { clearFrames() }
        }
    }

    // MARK: Copies

    /// Makes the link of a value that is about to be copied, if it has none.
    mutating func linked(_ value: TrackedValue, at instruction: Int) -> TrackedValue {
        guard value.link == nil, value.value.number != nil, value.value.number?.constant == nil else {
            return value
        }
        // What an earlier round of a loop copied here is another number.
        unlink(instruction)
        var copy = value
        copy.link = TrackedValue.Link(identity: instruction, form: .same)
        return copy
    }

    private mutating func unlink(_ identity: Int) {
        for place in registers.indices where registers[place].link?.identity == identity {
            registers[place].link = nil
        }
        for frame in frames.indices {
            for cell in frames[frame].cells.indices
            where frames[frame].cells[cell].value.link?.identity == identity {
                frames[frame].cells[cell].value.link = nil
            }
        }
    }

    /// Values in frames that outlive the function's instructions are no copies of anything any more.
    mutating func unlinkFrames() {
        for frame in frames.indices {
            for cell in frames[frame].cells.indices where frames[frame].cells[cell].value.link != nil {
                frames[frame].cells[cell].value.link = nil
            }
        }
    }

    /// Takes over what a comparison said of a register, also for its copies; false if that cannot be.
    mutating func narrow(_ register: Register, to number: NumberSet) -> Bool {
        let place = Int(register.rawValue)
        guard registers[place].value.number != number else { return true }
        registers[place] = registers[place].narrowed(to: number)
        guard let link = registers[place].link else { return true }
        for other in registers.indices where other != place {
            guard let copy = registers[other].narrowed(by: number, link) else { return false }
            registers[other] = copy
        }
        for frame in frames.indices {
            for cell in frames[frame].cells.indices {
                guard let copy = frames[frame].cells[cell].value.narrowed(by: number, link) else {
                    return false
                }
                frames[frame].cells[cell].value = copy
            }
        }
        return true
    }
}

extension TrackedValue {
    /// What is known when a number with this link is among these; nil if that cannot be.
    fileprivate func narrowed(by number: NumberSet, _ other: Link) -> TrackedValue? {
        guard let link, link.identity == other.identity, let own = value.number else { return self }
        let known: NumberSet?
        switch (other.form, link.form) {
        case (.same, .same), (.low, .low), (.signedLow, .signedLow): known = own.intersected(number)
        case (.same, .low), (.signedLow, .low): known = own.intersected(number.lowHalf)
        case (.same, .signedLow), (.low, .signedLow): known = own.intersected(number.signExtended(from: 32))
        case (.low, .same), (.signedLow, .same): known = own.withLowHalf(of: number)
        case (.shifted, _), (_, .shifted): return self
        }
        return known.map(narrowed(to:))
    }
}
