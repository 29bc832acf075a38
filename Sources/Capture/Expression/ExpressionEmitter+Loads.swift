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
        if variant == .precise { return emitPreciseLoad(load, to: register, index, &state) }
        return emitDirectLoad(load, to: register, &state)
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
            if variant == .whole, let step = Self.steps.first(where: { $0 >= load.end }) {
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
        if variant == .precise, abilities.hasBufferAccess {
            guard end <= Self.longestPacket else {
                code.jump(to: reject)
                return false
            }
            append(.move(.r2, .r9), .add(.r2, Int32(clamping: offset)))
            code.jump(.greater, .r2, Int32(clamping: Self.longestPacket), to: reject)
            emitHelperLoad(size)
            state.indexed = nil
            append(.load(size.memorySize, .r0, from: .framePointer, offset: Self.bufferSlot))
            return true
        }
        guard end <= Self.farthest else {
            code.jump(to: whereShortPacketsGo(isExact: true))
            return false
        }
        if state.indexed ?? 0 < end {
            let step = variant == .whole ? Self.indexedSteps.first { $0 >= end } : nil
            let asked = step ?? end
            if state.indexed == nil {
                let highest = Self.farthest - asked
                if UInt64(state.highestIndex) > highest {
                    code.jump(
                        .greater, .r9, Int32(clamping: highest), to: whereShortPacketsGo(isExact: false))
                    state.highestIndex = UInt32(clamping: highest)
                }
                append(.move(.r5, .r7), .add(.r5, .r9))
            }
            emitCheck(.r5, asked, isExact: asked == end)
            state.indexed = asked
        }
        emitAccess(size, to: .r0, from: .r5, offset)
        return true
    }

    // MARK: - The second variant

    /// No packet is that long; a sum up to this does not wrap.
    private static let longestPacket: UInt64 = 0x00ff_ffff

    /// Puts the packet's length, and what stands at constant offsets, onto the stack.
    mutating func emitPreparation() {
        if plan.hasLength || !plan.loads.isEmpty {
            emitLength()
            append(.store(.doubleWord, .r0, to: .framePointer, offset: Self.lengthSlot))
        }
        for load in plan.loads {
            guard let slot = loadSlots[load] else { continue }
            append(.storeImmediate(.word, 0, to: .framePointer, offset: slot))
            let (behind, done) = (code.label(), code.label())
            if load.end <= Self.farthest {
                append(.move(.r1, .r7), .add(.r1, Int32(clamping: load.end)))
                code.jump(.greater, .r1, .r8, to: behind)
                emitAccess(load.size, to: .r1, from: .r7, load.offset)
                append(.store(load.size.memorySize, .r1, to: .framePointer, offset: slot))
                if abilities.hasBufferAccess { code.jump(to: done) }
            }
            code.place(behind)
            if abilities.hasBufferAccess, load.end <= Self.longestPacket {
                append(.load(.doubleWord, .r1, from: .framePointer, offset: Self.lengthSlot))
                code.jump(.less, .r1, Int32(clamping: load.end), to: done)
                append(.move(.r2, Int32(clamping: load.offset)))
                emitHelperCall(load.size, slot)
            }
            code.place(done)
        }
    }

    private mutating func emitPreciseLoad(
        _ load: ExpressionPlan.Load, to register: Register, _ index: Int, _ state: inout Known
    ) -> Bool {
        guard load.end <= Self.longestPacket else {
            code.jump(to: reject)
            return false
        }
        if let slot = loadSlots[load] {
            append(.load(.doubleWord, .r1, from: .framePointer, offset: Self.lengthSlot))
            code.jump(.less, .r1, Int32(clamping: load.end), to: reject)
            append(.load(load.size.memorySize, register, from: .framePointer, offset: slot))
            return true
        }
        guard abilities.hasBufferAccess else { return emitDirectLoad(load, to: register, &state) }
        let savesAccumulator = register != .r0 && plan.liveAfter(index).contains(.accumulator)
        if savesAccumulator { save() }
        append(.move(.r2, Int32(clamping: load.offset)))
        emitHelperLoad(load.size)
        if savesAccumulator { restore() }
        state.indexed = nil
        append(.load(load.size.memorySize, register, from: .framePointer, offset: Self.bufferSlot))
        return true
    }

    /// Reads what stands at r2 of the packet; rejects it if nothing does. Clobbers r0 to r5.
    private mutating func emitHelperLoad(_ size: ClassicSize) {
        emitHelperCall(size, Self.bufferSlot)
        code.jump(.notEqual, .r0, 0, to: reject)
    }

    private mutating func emitHelperCall(_ size: ClassicSize, _ slot: Int16) {
        append(
            .move(.r1, .r6), .move(.r3, .framePointer), .add(.r3, Int32(slot)),
            .move(.r4, Int32(size.bytes)), .call(helper: Helper.load))
    }

    private mutating func save() {
        append(.store(.doubleWord, .r0, to: .framePointer, offset: Self.savedSlot))
    }

    private mutating func restore() {
        append(.load(.doubleWord, .r0, from: .framePointer, offset: Self.savedSlot))
    }

    // MARK: - Length

    /// `register = the packet's length`
    mutating func emitLength(_ register: ClassicRegister, _ index: Int, _ state: inout Known) {
        if register == .index { state.forgetIndex() }
        if variant == .precise {
            append(.load(.doubleWord, Self.register(register), from: .framePointer, offset: Self.lengthSlot))
            return
        }
        if abilities.hasBufferAccess { state.indexed = nil }
        let saves = register == .index && plan.liveAfter(index).contains(.accumulator)
        if saves { save() }
        emitLength()
        if register == .index { append(.move(.r9, .r0)) }
        if saves { restore() }
    }

    /// `r0 = the packet's length`
    private mutating func emitLength() {
        if abilities.hasBufferAccess {
            append(.move(.r1, .r6), .call(helper: Helper.length))
        } else {
            append(.move(.r0, .r8), .subtract(.r0, .r7))
        }
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
