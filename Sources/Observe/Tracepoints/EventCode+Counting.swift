// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What is done with a key, and the failed attachment, which has none.
extension EventCode {
    mutating func emitTally() {
        let old = code.label()
        let found = code.label()
        let full = code.label()
        lookup()
        code.jump(.notEqual, .r0, 0, to: old)
        for offset in stride(from: Self.value, to: Self.key, by: 8) {
            code.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: offset))
        }
        loadMapAndKey()
        code.append(.move(.r3, .framePointer))
        code.append(.add(.r3, Int32(Self.value)))
        // BPF_NOEXIST: another CPU may have been faster, and its numbers are to stay.
        code.append(.move(.r4, 1))
        code.append(.call(helper: Helper.update))
        code.append(.move(.r7, .r0))
        lookup()
        code.jump(.equal, .r0, 0, to: full)
        code.append(.move(.r8, .r0))
        code.jump(.notEqual, .r7, 0, to: found)
        emitAddition()
        // It wakes the reader; where the ring is full, that happened already.
        code.append(Instruction.loadMap(.r1, descriptor: maps.ring))
        code.append(.move(.r2, .framePointer))
        code.append(.add(.r2, Int32(Self.key)))
        code.append(.move(.r3, Int32(EventLayout.keySize)))
        code.append(.move(.r4, 0))
        code.append(.call(helper: Helper.ringOutput))
        code.jump(to: out)

        code.place(old)
        code.append(.move(.r8, .r0))
        code.place(found)
        emitAddition()
        code.jump(to: out)

        code.place(full)
        emitOther()
    }

    private mutating func loadMapAndKey() {
        code.append(Instruction.loadMap(.r1, descriptor: maps.tally))
        code.append(.move(.r2, .framePointer))
        code.append(.add(.r2, Int32(Self.key)))
    }

    private mutating func lookup() {
        loadMapAndKey()
        code.append(.call(helper: Helper.lookup))
    }

    /// Only this CPU writes its value. The number of events comes last, since the reader goes by it.
    private mutating func emitAddition() {
        code.append(.call(helper: Helper.time))
        code.append(.store(.doubleWord, .r0, to: .r8, offset: Int16(EventLayout.Amount.time.rawValue)))
        for (slot, amount) in [(Self.dropped, EventLayout.Amount.dropped), (Self.sent, .sent)] {
            code.append(.load(.doubleWord, .r1, from: .framePointer, offset: slot))
            code.append(.load(.doubleWord, .r2, from: .r8, offset: Int16(amount.rawValue)))
            code.append(.add(.r2, .r1))
            code.append(.store(.doubleWord, .r2, to: .r8, offset: Int16(amount.rawValue)))
        }
        let count = Int16(EventLayout.Amount.count.rawValue)
        code.append(.load(.doubleWord, .r2, from: .r8, offset: count))
        code.append(.add(.r2, 1))
        code.append(.store(.doubleWord, .r2, to: .r8, offset: count))
    }

    private mutating func emitOther() {
        code.append(Instruction.loadMapValue(.r1, descriptor: maps.others, offset: 0))
        code.append(.move(.r2, 1))
        code.append(.atomicAdd(.doubleWord, .r2, to: .r1))
    }

    // MARK: - A failed attachment

    mutating func emitMessage() {
        let full = code.label()
        code.append(Instruction.loadMap(.r1, descriptor: maps.ring))
        code.append(.move(.r2, Int32(EventLayout.attachSize)))
        code.append(.move(.r3, 0))
        code.append(.call(helper: Helper.ringReserve))
        code.jump(.equal, .r0, 0, to: full)
        code.append(.move(.r8, .r0))
        for offset in stride(from: Int16(0), to: Int16(EventLayout.attachSize), by: 8) {
            code.append(.storeImmediate(.doubleWord, 0, to: .r8, offset: offset))
        }
        code.append(.storeImmediate(.word, EventLayout.code(of: source.kind), to: .r8))
        code.append(.call(helper: Helper.time))
        code.append(.store(.doubleWord, .r0, to: .r8, offset: Int16(EventLayout.Attach.time.rawValue)))
        code.append(.call(helper: Helper.processID))
        // The process is above its thread.
        code.append(.alu64(.shiftRight, .r0, 32))
        code.append(.store(.word, .r0, to: .r8, offset: Int16(EventLayout.Attach.process.rawValue)))
        code.append(.move(.r1, .r8))
        code.append(.add(.r1, Int32(EventLayout.Attach.command.rawValue)))
        code.append(.move(.r2, Int32(EventLayout.commandLength)))
        code.append(.call(helper: Helper.command))
        loadPointer(argument: 0)
        code.append(.move(.r1, .r8))
        code.append(.add(.r1, Int32(EventLayout.Attach.text.rawValue)))
        code.append(.move(.r2, Int32(EventLayout.textLength)))
        code.append(.move(.r3, .r7))
        code.append(.call(helper: Helper.readText))
        emitCallersNamespace()
        code.append(.move(.r1, .r8))
        code.append(.move(.r2, 0))
        code.append(.call(helper: Helper.ringSubmit))
        code.jump(to: out)
        code.place(full)
        emitOther()
    }

    /// The namespace of who asks is the one of the interface.
    private mutating func emitCallersNamespace() {
        guard let proxy = offsets.proxy, let network = offsets.proxyNetwork, let inode = offsets.inode else {
            return
        }
        let known = code.label()
        code.append(.call(helper: Helper.task))
        code.append(.move(.r7, .r0))
        code.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: Self.key))
        for offset in [proxy, network] {
            read(8, at: offset, into: Self.pointer)
            code.append(.load(.doubleWord, .r7, from: .framePointer, offset: Self.pointer))
        }
        read(4, at: inode, into: Self.key)
        code.append(.load(.word, .r1, from: .framePointer, offset: Self.key))
        code.append(
            .store(.word, .r1, to: .r8, offset: Int16(EventLayout.Field.namespace.rawValue)))
        if let namespace = scope.namespace {
            code.append(.move32(.r2, Int32(bitPattern: namespace)))
            code.jump32(.equal, .r1, .r2, to: known)
            code.append(.move(.r1, .r8))
            code.append(.move(.r2, 0))
            code.append(.call(helper: Helper.ringDiscard))
            code.jump(to: out)
        }
        code.place(known)
    }
}
