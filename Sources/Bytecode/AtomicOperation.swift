// SPDX-License-Identifier: Apache-2.0

/// What an atomic instruction does with memory: its immediate (linux/bpf.h). Sizes are four and eight bytes.
public struct AtomicOperation: RawRepresentable, Hashable, Sendable {
    /// The immediate.
    public let rawValue: Int32

    /// The operation with this immediate, known or not.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// `lock *(D + offset) += S`
    public static let add = AtomicOperation(rawValue: 0x00)
    /// `lock *(D + offset) |= S` (kernel 5.12)
    public static let or = AtomicOperation(rawValue: 0x40)
    /// `lock *(D + offset) &= S` (kernel 5.12)
    public static let and = AtomicOperation(rawValue: 0x50)
    /// `lock *(D + offset) ^= S` (kernel 5.12)
    public static let xor = AtomicOperation(rawValue: 0xa0)
    /// Adds, and gives the old value in S (kernel 5.12).
    public static let fetchAdd = AtomicOperation(rawValue: 0x01)
    /// Ors, and gives the old value in S (kernel 5.12).
    public static let fetchOr = AtomicOperation(rawValue: 0x41)
    /// Ands, and gives the old value in S (kernel 5.12).
    public static let fetchAnd = AtomicOperation(rawValue: 0x51)
    /// Xors, and gives the old value in S (kernel 5.12).
    public static let fetchXor = AtomicOperation(rawValue: 0xa1)
    /// Swaps memory and S (kernel 5.12).
    public static let exchange = AtomicOperation(rawValue: 0xe1)
    /// Writes S if memory equals r0, and gives the old value in r0 (kernel 5.12).
    public static let compareExchange = AtomicOperation(rawValue: 0xf1)
    /// `D = *(S + offset)`, ordered before what follows (kernel 6.15).
    public static let loadAcquire = AtomicOperation(rawValue: 0x100)
    /// `*(D + offset) = S`, ordered after what precedes (kernel 6.15).
    public static let storeRelease = AtomicOperation(rawValue: 0x110)

    /// Whether the old value comes back in a register (BPF_FETCH).
    public var fetches: Bool { rawValue & 0x01 != 0 }
}

extension Instruction {
    /// The operation of an atomic instruction; nil for every other.
    public var atomicOperation: AtomicOperation? {
        guard opcode.instructionClass == .stx, opcode.mode == .atomic else { return nil }
        return AtomicOperation(rawValue: immediate)
    }
}
