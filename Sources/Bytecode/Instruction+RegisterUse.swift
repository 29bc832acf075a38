// SPDX-License-Identifier: Apache-2.0

// Liveness asks what a program can read before it has written it. Calls and the exit count as reading
// nothing: the verifier has refused every program in which an argument or the result was not written
// before, so counting them could only make registers look live that are not.
extension Instruction {
    /// The registers whose value it uses; a call's arguments and an exit's result do not count.
    public var registersRead: RegisterSet {
        switch opcode.instructionClass {
        case .alu32, .alu64: arithmeticReads
        case .jump, .jump32: condition == nil ? indirectJumpReads : [left, right]
        case .ldx: RegisterSet(source)
        case .st: RegisterSet(destination)
        case .stx: storeReads
        case .ld: legacyLoadReads
        }
    }

    /// The registers that have a new value afterwards in every case, or that a call leaves without one.
    public var registersWritten: RegisterSet {
        switch opcode.instructionClass {
        case .alu32, .alu64, .ldx: RegisterSet(destination)
        case .jump, .jump32: isCall ? .callerSaved : []
        case .st: []
        case .stx: storeWrites
        case .ld: isWide ? RegisterSet(destination) : isLegacyLoad ? .callerSaved : []
        }
    }

    private var left: RegisterSet { RegisterSet(destination) }

    /// The operand, if it is a register.
    private var right: RegisterSet { opcode.operandKind == .register ? RegisterSet(source) : [] }

    private var arithmeticReads: RegisterSet {
        switch opcode.arithmeticOperation {
        case .move: right
        // Bit 3 of a byte order operation is the order, of a negation nothing.
        case .negate, .byteSwap: left
        // r ^= r and r -= r are ways to write zero.
        case .xor where isOnItself, .subtract where isOnItself: []
        default: [left, right]
        }
    }

    private var isOnItself: Bool { opcode.operandKind == .register && source == destination }

    private var indirectJumpReads: RegisterSet { opcode == .indirectJump ? left : [] }

    private var storeReads: RegisterSet {
        switch atomicOperation {
        case .loadAcquire: RegisterSet(source)
        case .compareExchange: [left, RegisterSet(source), RegisterSet(.r0)]
        default: [left, RegisterSet(source)]
        }
    }

    private var storeWrites: RegisterSet {
        guard let atomicOperation else { return [] }
        switch atomicOperation {
        case .loadAcquire: return left
        case .compareExchange: return RegisterSet(.r0)
        default: return atomicOperation.fetches ? RegisterSet(source) : []
        }
    }

    /// BPF_ABS and BPF_IND: r6 holds the packet, and they clobber like a call.
    private var isLegacyLoad: Bool { opcode.mode == .absolute || opcode.mode == .indirect }

    private var legacyLoadReads: RegisterSet {
        guard opcode.instructionClass == .ld, isLegacyLoad else { return [] }
        return opcode.mode == .indirect ? [RegisterSet(.r6), RegisterSet(source)] : RegisterSet(.r6)
    }
}
