// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a program, or recorded code cannot become one.
public struct BytecodeError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Problem: Hashable, Sendable {
        /// The number of bytes is not a multiple of eight.
        case truncated(bytes: Int)
        /// There is no instruction.
        case empty
        /// The second half of a 64-bit immediate load is missing or is not one.
        case cutWideInstruction
        /// An op-code whose effect on the control flow is not known.
        case unknownOpcode(Opcode)
        /// A jump whose targets are not in the instruction (gotox).
        case indirectJump
        /// A jump or call leads outside of the program, or a jump outside of its subprogram.
        case targetOutside(target: Int)
        /// A jump or call leads to the second half of a 64-bit immediate load.
        case targetInsideWideInstruction(target: Int)
        /// A subprogram does not end in an exit or an unconditional jump.
        case missingExit
        /// A subprogram calls itself, directly or through others.
        case recursion
        /// More subprograms than the kernel takes (BPF_MAX_SUBPROGS).
        case tooManySubprograms(count: Int)
        /// A label that was never placed, or that another assembler made.
        case unplacedLabel
        /// A label that was placed more than once.
        case labelPlacedTwice
        /// A jump is longer than its encoding can express.
        case jumpTooLong(distance: Int)
        /// A label was given to an instruction that does not jump or call.
        case notAJump
        /// A ready-made jump spans a jump that had to be widened.
        case jumpOverWidened
    }

    /// What is wrong.
    public let problem: Problem

    /// The instruction it is wrong with, counted in 8-byte instructions from the start of the program; nil if
    /// it is not about one.
    public let index: Int?

    /// An error about an instruction, or about the whole.
    public init(_ problem: Problem, at index: Int? = nil) {
        self.problem = problem
        self.index = index
    }
}

extension BytecodeError: CustomStringConvertible {
    /// One sentence for the user.
    public var description: String {
        guard let index else { return "The bytecode \(problem.predicate)." }
        return "Instruction \(index) \(problem.predicate)."
    }
}

extension BytecodeError.Problem {
    /// The sentence's rest after its subject.
    fileprivate var predicate: String {
        switch self {
        case .truncated(let bytes): "has \(bytes) bytes, which is not a multiple of 8"
        case .empty: "has no instructions"
        case .cutWideInstruction: "loads a 64-bit immediate without its second half"
        case .unknownOpcode(let opcode): "has the unknown op-code 0x\(opcode)"
        case .indirectJump: "jumps to an address in a register, which cannot be followed"
        case .targetOutside(let target): "leads to instruction \(target), outside of its bounds"
        case .targetInsideWideInstruction(let target):
            "leads to instruction \(target), the second half of a 64-bit load"
        case .missingExit: "ends its function, but is neither an exit nor an unconditional jump"
        case .recursion: "calls its own function again, directly or through others"
        case .tooManySubprograms(let count): "has \(count) functions; the kernel takes 256"
        case .unplacedLabel: "uses a label that was not placed"
        case .labelPlacedTwice: "has a label that was placed before"
        case .jumpTooLong(let distance):
            "jumps over \(distance) instructions, more than its encoding can express"
        case .notAJump: "was given a label, but is neither a jump nor a call"
        case .jumpOverWidened: "jumps by a fixed distance over a jump that had to be widened"
        }
    }
}
