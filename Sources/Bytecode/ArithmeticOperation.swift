// SPDX-License-Identifier: Apache-2.0

/// The operation of an arithmetic instruction: the high four bits of its op-code (BPF_OP, linux/bpf.h).
public enum ArithmeticOperation: UInt8, CaseIterable, Hashable, Sendable {
    /// BPF_ADD
    case add = 0x00
    /// BPF_SUB
    case subtract = 0x10
    /// BPF_MUL
    case multiply = 0x20
    /// BPF_DIV: unsigned, or signed if the instruction's offset is 1 (kernel 6.6). By zero it gives zero.
    case divide = 0x30
    /// BPF_OR
    case or = 0x40
    /// BPF_AND
    case and = 0x50
    /// BPF_LSH
    case shiftLeft = 0x60
    /// BPF_RSH: fills with zeros.
    case shiftRight = 0x70
    /// BPF_NEG
    case negate = 0x80
    /// BPF_MOD: unsigned, or signed if the instruction's offset is 1 (kernel 6.6). By zero it changes nothing.
    case modulo = 0x90
    /// BPF_XOR
    case xor = 0xa0
    /// BPF_MOV: sign-extending if the instruction's offset is 8, 16 or 32 (kernel 6.6).
    case move = 0xb0
    /// BPF_ARSH: fills with the sign.
    case arithmeticShiftRight = 0xc0
    /// BPF_END: byte order; the immediate is the width in bits.
    case byteSwap = 0xd0
}
