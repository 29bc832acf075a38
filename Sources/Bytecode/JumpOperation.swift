// SPDX-License-Identifier: Apache-2.0

/// The operation of a jump instruction: the high four bits of its op-code (BPF_OP, linux/bpf.h).
public enum JumpOperation: UInt8, CaseIterable, Hashable, Sendable {
    /// BPF_JA: always taken. In the class `jump32` it is the long jump (kernel 6.6).
    case always = 0x00
    /// BPF_JEQ
    case equal = 0x10
    /// BPF_JGT
    case greater = 0x20
    /// BPF_JGE
    case greaterOrEqual = 0x30
    /// BPF_JSET
    case anyBitSet = 0x40
    /// BPF_JNE
    case notEqual = 0x50
    /// BPF_JSGT
    case signedGreater = 0x60
    /// BPF_JSGE
    case signedGreaterOrEqual = 0x70
    /// BPF_CALL: a helper, a subprogram or a kernel function.
    case call = 0x80
    /// BPF_EXIT
    case exit = 0x90
    /// BPF_JLT
    case less = 0xa0
    /// BPF_JLE
    case lessOrEqual = 0xb0
    /// BPF_JSLT
    case signedLess = 0xc0
    /// BPF_JSLE
    case signedLessOrEqual = 0xd0
    /// BPF_JCOND: may_goto, taken when the loop's budget is spent (kernel 6.9).
    case mayGoto = 0xe0

    /// The comparison, if this operation is one.
    public var condition: Condition? { Condition(rawValue: rawValue) }
}
