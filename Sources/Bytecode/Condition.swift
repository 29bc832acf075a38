// SPDX-License-Identifier: Apache-2.0

/// A comparison that a conditional jump makes between its destination register and its operand.
///
/// Raw values are those of ``JumpOperation``. "Signed" compares as two's complement, everything else unsigned.
public enum Condition: UInt8, CaseIterable, Hashable, Sendable {
    /// Both are equal.
    case equal = 0x10
    /// The register is greater.
    case greater = 0x20
    /// The register is greater or equal.
    case greaterOrEqual = 0x30
    /// Register and operand have a set bit in common.
    case anyBitSet = 0x40
    /// Both differ.
    case notEqual = 0x50
    /// The register is greater, as signed numbers.
    case signedGreater = 0x60
    /// The register is greater or equal, as signed numbers.
    case signedGreaterOrEqual = 0x70
    /// The register is less.
    case less = 0xa0
    /// The register is less or equal.
    case lessOrEqual = 0xb0
    /// The register is less, as signed numbers.
    case signedLess = 0xc0
    /// The register is less or equal, as signed numbers.
    case signedLessOrEqual = 0xd0

    /// The condition that holds exactly when this one does not; nil for `anyBitSet`, which has none.
    public var inverted: Condition? {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .greater: .lessOrEqual
        case .lessOrEqual: .greater
        case .less: .greaterOrEqual
        case .greaterOrEqual: .less
        case .signedGreater: .signedLessOrEqual
        case .signedLessOrEqual: .signedGreater
        case .signedLess: .signedGreaterOrEqual
        case .signedGreaterOrEqual: .signedLess
        case .anyBitSet: nil
        }
    }

    /// The sign in the notation of the kernel's verifier, such as `s>=`.
    public var sign: String {
        switch self {
        case .equal: "=="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .anyBitSet: "&"
        case .notEqual: "!="
        case .signedGreater: "s>"
        case .signedGreaterOrEqual: "s>="
        case .less: "<"
        case .lessOrEqual: "<="
        case .signedLess: "s<"
        case .signedLessOrEqual: "s<="
        }
    }
}
