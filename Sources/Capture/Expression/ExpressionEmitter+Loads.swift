// SPDX-License-Identifier: Apache-2.0
import Bytecode

// Where the packet is read. Each of these returns false if no packet has the bytes: then nothing follows.
extension ExpressionEmitter {
    /// Goes on if so many bytes are there behind a pointer, else to where such a packet has to go: it may have the bytes in other
    /// buffers, or need fewer of them than are asked for here.
    mutating func emitCheck(_ pointer: Register, _ bytes: UInt64, isExact: Bool) {
        append(.move(.r1, pointer), .add(.r1, Int32(clamping: bytes)))
        code.jump(.greater, .r1, .r8, to: whereShortPacketsGo(isExact: isExact))
    }

    private mutating func whereShortPacketsGo(isExact: Bool) -> Label {
        guard variant == .whole, abilities.hasBufferAccess || !isExact else { return reject }
        needsPrecise = true
        return precise
    }

    /// `register = the bytes`, in the packet's order
    mutating func emitLoad(
        _ load: ExpressionPlan.Load, to register: Register, _ index: Int, _ state: inout Known
    ) -> Bool {
        guard variant == .precise else { return emitDirectLoad(load, to: register, &state) }
        guard load.end <= (abilities.hasBufferAccess ? Self.longestPacket : Self.farthest) else {
            code.jump(to: reject)
            return false
        }
        guard abilities.hasBufferAccess else {
            emitFreshLoad(load.size, load.offset, isIndexed: false, to: register)
            return true
        }
        let savesAccumulator = register != .r0 && plan.liveAfter(index).contains(.accumulator)
        if savesAccumulator { save() }
        append(.move(.r2, Int32(clamping: load.offset)))
        emitHelperLoad(load.size, to: register)
        if savesAccumulator { restore() }
        return true
    }

    private mutating func emitDirectLoad(
        _ load: ExpressionPlan.Load, to register: Register, _ state: inout Known
    ) -> Bool {
        guard load.end <= Self.farthest else {
            code.jump(to: whereShortPacketsGo(isExact: true))
            return false
        }
        if load.end > state.length {
            var asked = load.end
            if let step = Self.steps.first(where: { $0 >= load.end }) {
                asked = farthestEnd(within: step) ?? asked
            }
            emitCheck(.r7, asked, isExact: asked == load.end)
            state.length = asked
        }
        emitAccess(load.size, to: register, from: .r7, load.offset)
        return true
    }

    private mutating func emitAccess(
        _ size: ClassicSize, to register: Register, from pointer: Register, _ offset: UInt32
    ) {
        if let offset = Int16(exactly: offset) {
            append(.load(size.memorySize, register, from: pointer, offset: offset))
        } else {
            append(
                .move(.r1, pointer), .add(.r1, Int32(clamping: offset)),
                .load(size.memorySize, register, from: .r1))
        }
    }

    /// `r0 = the bytes at X + offset`, in the packet's order
    mutating func emitIndexed(
        _ size: ClassicSize, _ offset: UInt32, _ index: Int, _ state: inout Known
    ) -> Bool {
        let end = UInt64(offset) + UInt64(size.bytes)
        guard variant == .whole else { return emitPreciseIndexed(size, offset, end, &state) }
        guard end <= Self.farthest else {
            code.jump(to: whereShortPacketsGo(isExact: true))
            return false
        }
        if state.indexed ?? 0 < end {
            let asked = Self.indexedSteps.first { $0 >= end } ?? end
            if state.indexed == nil {
                emitLimit(Self.farthest - asked, &state)
                append(.move(.r5, .r7), .add(.r5, .r9))
            }
            emitCheck(.r5, asked, isExact: asked == end)
            state.indexed = asked
        }
        emitAccess(size, to: .r0, from: .r5, offset)
        return true
    }

    /// Has the verifier know how large X is at most.
    private mutating func emitLimit(_ highest: UInt64, _ state: inout Known) {
        guard UInt64(state.highestIndex) > highest else { return }
        code.jump(.greater, .r9, Int32(clamping: highest), to: whereShortPacketsGo(isExact: false))
        state.highestIndex = UInt32(clamping: highest)
    }

    // MARK: - The second variant

    // Nothing is kept from one load to the next one, of which the verifier would have to follow every combination.

    /// No packet is that long; a sum up to this does not wrap.
    private static let longestPacket: UInt64 = 0x00ff_ffff

    private mutating func emitPreciseIndexed(
        _ size: ClassicSize, _ offset: UInt32, _ end: UInt64, _ state: inout Known
    ) -> Bool {
        let longest = abilities.hasBufferAccess ? Self.longestPacket : Self.farthest
        guard end <= longest else {
            code.jump(to: reject)
            return false
        }
        guard abilities.hasBufferAccess else {
            emitLimit(Self.farthest - end, &state)
            emitFreshLoad(size, offset, isIndexed: true, to: .r0)
            return true
        }
        append(.move(.r2, .r9), .add(.r2, Int32(clamping: offset)))
        code.jump(.greater, .r2, Int32(clamping: longest), to: reject)
        emitHelperLoad(size, to: .r0)
        return true
    }

    /// Reads from the only buffer there is.
    private mutating func emitFreshLoad(
        _ size: ClassicSize, _ offset: UInt32, isIndexed: Bool, to register: Register
    ) {
        append(.load(.word, .r2, from: .r6, offset: 0))
        if isIndexed { append(.add(.r2, .r9)) }
        append(.move(.r1, .r2), .add(.r1, Int32(clamping: UInt64(offset) + UInt64(size.bytes))))
        code.jump(.greater, .r1, .r8, to: reject)
        emitAccess(size, to: register, from: .r2, offset)
    }

    /// Reads what stands at r2 of the packet; rejects it if nothing does. Clobbers r0 to r5.
    private mutating func emitHelperLoad(_ size: ClassicSize, to register: Register) {
        append(
            .move(.r1, .r6), .move(.r3, .framePointer), .add(.r3, Int32(Self.bufferSlot)),
            .move(.r4, Int32(size.bytes)), .call(helper: Helper.load))
        code.jump(.notEqual, .r0, 0, to: reject)
        append(.load(size.memorySize, register, from: .framePointer, offset: Self.bufferSlot))
    }

    private mutating func save() {
        append(.store(.word, .r0, to: .framePointer, offset: Self.savedSlot))
    }

    private mutating func restore() {
        append(.load(.word, .r0, from: .framePointer, offset: Self.savedSlot))
    }

    // MARK: - Length

    /// `register = the packet's length`
    mutating func emitLength(_ register: ClassicRegister, _ index: Int, _ state: inout Known) {
        if register == .index { state.forgetIndex() }
        let number = Self.register(register)
        if variant == .whole {
            append(.move(number, .r8), .subtract(number, .r7))
        } else {
            // Of r7 the verifier knows different things on different ways here, and nobody else reads it.
            append(.load(.word, .r1, from: .r6, offset: 0), .move(number, .r8), .subtract(number, .r1))
        }
        guard abilities.hasBufferAccess else { return }
        if variant == .whole, register == .accumulator, let shortcut = plan.shortcut(from: index) {
            // What lies in other buffers makes a packet only longer.
            code.jump(.greaterOrEqual, .r0, Int32(shortcut.length), to: label(shortcut.target))
            lead(to: shortcut.target, state)
        }
        state.indexed = nil
        // The kernel takes out the question, and what follows where there are no other buffers.
        let isKnown = code.label()
        append(.load(.doubleWord, .r1, from: .framePointer, offset: CaptureFrame.oneBuffer))
        code.jump(.notEqual, .r1, 0, to: isKnown)
        let saves = register == .index && plan.liveAfter(index).contains(.accumulator)
        if saves { save() }
        append(.move(.r1, .r6), .call(helper: Helper.length))
        if register == .index { append(.move(.r9, .r0)) }
        if saves { restore() }
        code.place(isKnown)
    }
}

extension ClassicSize {
    var memorySize: MemorySize {
        switch self {
        case .byte: .byte
        case .half: .halfWord
        case .word: .word
        }
    }
}
