// SPDX-License-Identifier: Apache-2.0

/// What an instruction does at the coarsest: the low three bits of its op-code (BPF_CLASS, linux/bpf_common.h).
public enum InstructionClass: UInt8, CaseIterable, Hashable, Sendable {
    /// BPF_LD: the 64-bit immediate load and the legacy packet loads.
    case ld = 0
    /// BPF_LDX: a load from memory into a register.
    case ldx = 1
    /// BPF_ST: a store of an immediate.
    case st = 2
    /// BPF_STX: a store of a register, and the atomic operations.
    case stx = 3
    /// BPF_ALU: 32-bit arithmetic, which clears the upper half of the result.
    case alu32 = 4
    /// BPF_JMP: jumps on 64-bit comparisons, calls and the exit.
    case jump = 5
    /// BPF_JMP32: jumps on 32-bit comparisons, and the long jump.
    case jump32 = 6
    /// BPF_ALU64: 64-bit arithmetic.
    case alu64 = 7

    /// Whether the op-code's upper bits name an arithmetic operation.
    public var isArithmetic: Bool { self == .alu32 || self == .alu64 }

    /// Whether the op-code's upper bits name a jump, a call or the exit.
    public var isJump: Bool { self == .jump || self == .jump32 }
}
