// SPDX-License-Identifier: Apache-2.0

/// Where an arithmetic or jump instruction takes its operand from: bit 3 of its op-code (BPF_SRC).
public enum OperandKind: UInt8, CaseIterable, Hashable, Sendable {
    /// BPF_K: the 32-bit immediate, sign-extended in 64-bit operations.
    case immediate = 0x00
    /// BPF_X: the source register.
    case register = 0x08
}
