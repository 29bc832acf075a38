// SPDX-License-Identifier: Apache-2.0

extension ArithmeticOperation {
    /// What the machine computes, on words of 32 or 64 bits; nil for what needs more than two operands'
    /// worth of information (moves and byte order).
    ///
    /// Shifts use the low bits of their operand. Division by zero gives zero, the rest of it the dividend.
    func result<Word: FixedWidthInteger & UnsignedInteger>(
        _ left: Word, _ right: Word, isSigned: Bool
    ) -> Word? {
        let shift = Int(truncatingIfNeeded: right) & (Word.bitWidth - 1)
        return switch self {
        case .add: left &+ right
        case .subtract: left &- right
        case .multiply: left &* right
        case .divide where isSigned: left.signedQuotient(right)
        case .divide: right == 0 ? 0 : left / right
        case .modulo where isSigned: left &- left.signedQuotient(right) &* right
        case .modulo: right == 0 ? left : left % right
        case .or: left | right
        case .and: left & right
        case .xor: left ^ right
        case .shiftLeft: left << Word(shift)
        case .shiftRight: left >> Word(shift)
        case .arithmeticShiftRight: left.arithmeticallyShiftedRight(shift)
        case .negate: 0 &- left
        case .move, .byteSwap: nil
        }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The magnitude of the number in two's complement.
    var signedMagnitude: Self { self & .signBit == 0 ? self : 0 &- self }

    /// The quotient as numbers in two's complement, towards zero; zero for a divisor of zero.
    func signedQuotient(_ divisor: Self) -> Self {
        guard divisor != 0 else { return 0 }
        let quotient = signedMagnitude / divisor.signedMagnitude
        return (self ^ divisor) & .signBit == 0 ? quotient : 0 &- quotient
    }
}
