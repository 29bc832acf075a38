// SPDX-License-Identifier: Apache-2.0

/// How a memory access finds its operand: the high three bits of its op-code (BPF_MODE, linux/bpf.h).
public enum MemoryMode: UInt8, CaseIterable, Hashable, Sendable {
    /// BPF_IMM: a 64-bit immediate over two instructions.
    case immediate = 0x00
    /// BPF_ABS: legacy load from the packet of a socket filter.
    case absolute = 0x20
    /// BPF_IND: legacy load from the packet of a socket filter, plus a register.
    case indirect = 0x40
    /// BPF_MEM: an address in a register plus the offset.
    case memory = 0x60
    /// BPF_MEMSX: like `memory`, sign-extending (kernel 6.6).
    case signedMemory = 0x80
    /// BPF_ATOMIC: an atomic operation, named by the immediate.
    case atomic = 0xc0
}
