// SPDX-License-Identifier: Apache-2.0

/// The first byte of an instruction (struct bpf_insn, linux/bpf.h).
///
///     arithmetic, jump   | operation 4 | operand 1 | class 3 |
///     load, store        | mode 3 |  size 2        | class 3 |
///
/// Every byte is an op-code; what the bits cannot mean is nil.
public struct Opcode: RawRepresentable, Hashable, Sendable {
    /// The byte.
    public let rawValue: UInt8

    /// The op-code with this byte, meaningful or not.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// An arithmetic op-code; `width` is `alu32` or `alu64`.
    public init(_ width: InstructionClass, _ operation: ArithmeticOperation, _ operand: OperandKind) {
        self.init(rawValue: width.rawValue | operation.rawValue | operand.rawValue)
    }

    /// A jump op-code; `width` is `jump` or `jump32`.
    public init(_ width: InstructionClass, _ operation: JumpOperation, _ operand: OperandKind) {
        self.init(rawValue: width.rawValue | operation.rawValue | operand.rawValue)
    }

    /// A load or store op-code.
    public init(_ direction: InstructionClass, _ size: MemorySize, _ mode: MemoryMode) {
        self.init(rawValue: direction.rawValue | size.rawValue | mode.rawValue)
    }

    /// A call: of a helper, a subprogram or a kernel function, which the source field tells.
    public static let call = Opcode(.jump, .call, .immediate)
    /// The return from a program or subprogram.
    public static let exit = Opcode(.jump, .exit, .immediate)
    /// The unconditional jump with a 16-bit distance.
    public static let jump = Opcode(.jump, .always, .immediate)
    /// gotol, the unconditional jump with a 32-bit distance (kernel 6.6).
    public static let longJump = Opcode(.jump32, .always, .immediate)
    /// gotox, the jump to an address in a register, taken from a jump table (newer than kernel 6.18).
    public static let indirectJump = Opcode(.jump, .always, .register)
    /// may_goto, which ends a loop when its budget is spent (kernel 6.9).
    public static let mayGoto = Opcode(.jump, .mayGoto, .immediate)
    /// The load of a 64-bit immediate, which takes two instructions.
    public static let loadImmediate64 = Opcode(.ld, .doubleWord, .immediate)

    /// What the instruction does at the coarsest.
    public var instructionClass: InstructionClass {
        switch rawValue & 7 {
        case 0: .ld
        case 1: .ldx
        case 2: .st
        case 3: .stx
        case 4: .alu32
        case 5: .jump
        case 6: .jump32
        default: .alu64
        }
    }

    /// The arithmetic operation; nil in other classes and for a pattern without a meaning.
    public var arithmeticOperation: ArithmeticOperation? {
        instructionClass.isArithmetic ? ArithmeticOperation(rawValue: rawValue & 0xf0) : nil
    }

    /// The jump operation; nil in other classes and for a pattern without a meaning.
    public var jumpOperation: JumpOperation? {
        instructionClass.isJump ? JumpOperation(rawValue: rawValue & 0xf0) : nil
    }

    /// Where the operand comes from; nil for loads and stores.
    public var operandKind: OperandKind? {
        guard instructionClass.isArithmetic || instructionClass.isJump else { return nil }
        return rawValue & 0x08 == 0 ? .immediate : .register
    }

    /// The width of the memory access; nil for arithmetic and jumps.
    public var size: MemorySize? {
        guard !instructionClass.isArithmetic, !instructionClass.isJump else { return nil }
        return MemorySize(rawValue: rawValue & 0x18)
    }

    /// How the memory operand is found; nil for arithmetic and jumps and for a pattern without a meaning.
    public var mode: MemoryMode? {
        guard !instructionClass.isArithmetic, !instructionClass.isJump else { return nil }
        return MemoryMode(rawValue: rawValue & 0xe0)
    }
}

extension Opcode: CustomStringConvertible {
    /// Two hexadecimal digits, as the verifier's log has them.
    public var description: String {
        let digits = String(rawValue, radix: 16)
        return rawValue < 0x10 ? "0" + digits : digits
    }
}
