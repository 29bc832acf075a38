// SPDX-License-Identifier: Apache-2.0

/// The width of a memory access: bits 3 and 4 of its op-code (BPF_SIZE, linux/bpf_common.h).
public enum MemorySize: UInt8, CaseIterable, Hashable, Sendable {
    /// BPF_W: four bytes.
    case word = 0x00
    /// BPF_H: two bytes.
    case halfWord = 0x08
    /// BPF_B: one byte.
    case byte = 0x10
    /// BPF_DW: eight bytes.
    case doubleWord = 0x18

    /// The width in bytes.
    public var bytes: Int {
        switch self {
        case .word: 4
        case .halfWord: 2
        case .byte: 1
        case .doubleWord: 8
        }
    }

    /// The width in bits.
    public var bits: Int { bytes * 8 }
}
