// SPDX-License-Identifier: Apache-2.0

/// What is known of the numbers in a register or its lower half, as far as bits and a range say it.
struct NumberPart<Word: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable {
    var bits: KnownBits<Word>
    var range: CircularRange<Word>

    init(bits: KnownBits<Word> = .unknown, range: CircularRange<Word> = .full) {
        self.bits = bits
        self.range = range
    }

    init(_ constant: Word) {
        self.init(bits: KnownBits(constant), range: CircularRange(start: constant, span: 0))
    }

    static var full: Self { Self() }

    var constant: Word? { range.span == 0 ? range.start : nil }

    private static func from(_ lowest: Word, through highest: Word) -> Self {
        Self(range: CircularRange(from: lowest, through: highest))
    }

    /// The result of an operation on such numbers.
    func result(_ operation: ArithmeticOperation, _ right: Self, isSigned: Bool) -> Self {
        if let left = constant, let right = right.constant,
            let result = operation.result(left, right, isSigned: isSigned)
        {
            return Self(result)
        }
        switch operation {
        case .add: return Self(bits: bits.adding(right.bits), range: range.adding(right.range))
        case .subtract:
            return Self(bits: bits.subtracting(right.bits), range: range.subtracting(right.range))
        case .negate:
            let zero = Self(0)
            return Self(bits: zero.bits.subtracting(bits), range: zero.range.subtracting(range))
        case .multiply: return multiplied(by: right)
        case .divide: return isSigned ? signedQuotient(right) : quotient(right)
        case .modulo: return isSigned ? signedRest(right) : rest(right)
        case .and:
            let highest = min(range.unsigned.highest, right.range.unsigned.highest)
            return Self(bits: bits.and(right.bits), range: CircularRange(from: 0, through: highest))
        case .or:
            let lowest = max(range.unsigned.lowest, right.range.unsigned.lowest)
            return Self(bits: bits.or(right.bits), range: CircularRange(from: lowest, through: .max))
        case .xor: return Self(bits: bits.xor(right.bits))
        case .shiftLeft, .shiftRight, .arithmeticShiftRight: return shifted(operation, right)
        case .move: return right
        case .byteSwap: return .full
        }
    }

    private func multiplied(by right: Self) -> Self {
        let bits = bits.multiplied(by: right.bits)
        if let factor = right.constant { return Self(bits: bits, range: range.multiplied(by: factor)) }
        if let factor = constant { return Self(bits: bits, range: right.range.multiplied(by: factor)) }
        let (own, other) = (range.unsigned, right.range.unsigned)
        let (highest, overflow) = own.highest.multipliedReportingOverflow(by: other.highest)
        guard !overflow else { return Self(bits: bits) }
        return Self(bits: bits, range: CircularRange(from: own.lowest &* other.lowest, through: highest))
    }

    // MARK: Division

    private func quotient(_ right: Self) -> Self {
        let (own, divisor) = (range.unsigned, right.range.unsigned)
        if divisor.highest == 0 { return Self(0) }
        let highest = own.highest / max(divisor.lowest, 1)
        let lowest = right.mayBeZero ? 0 : own.lowest / divisor.highest
        return .from(lowest, through: highest)
    }

    private func rest(_ right: Self) -> Self {
        let (own, divisor) = (range.unsigned, right.range.unsigned)
        if own.highest < divisor.lowest || divisor.highest == 0 { return self }
        // By zero nothing changes, so the rest is never above the dividend.
        let highest = right.mayBeZero ? own.highest : min(own.highest, divisor.highest - 1)
        return .from(0, through: highest)
    }

    private func signedQuotient(_ right: Self) -> Self {
        // Its magnitude is at most the dividend's; that of the lowest number by minus one wraps around.
        let (lowest, highest) = range.signed
        if let divisor = right.constant, divisor != .max || lowest != .signBit {
            let ends = [lowest.signedQuotient(divisor), highest.signedQuotient(divisor)]
            let isTurned = divisor & .signBit != 0
            return .from(ends[isTurned ? 1 : 0], through: ends[isTurned ? 0 : 1])
        }
        guard lowest != .signBit else { return .full }
        let most = max(lowest.signedMagnitude, highest.signedMagnitude)
        return .from(0 &- most, through: most)
    }

    private func signedRest(_ right: Self) -> Self {
        // It has the dividend's sign, and is not farther from zero than the dividend.
        let (lowest, highest) = range.signed
        var below: Word = lowest & .signBit != 0 ? lowest : 0
        var above: Word = highest & .signBit == 0 ? highest : 0
        let divisor = right.range.signed
        let largest = max(divisor.lowest.signedMagnitude, divisor.highest.signedMagnitude)
        if !right.mayBeZero, largest != 0, largest < .signBit {
            let most = largest - 1
            if below != 0, below.signedMagnitude > most { below = 0 &- most }
            above = min(above, most)
        }
        return .from(below, through: above)
    }

    private var mayBeZero: Bool { range.contains(0) && bits.contains(0) }

    // MARK: Shifts

    private func shifted(_ operation: ArithmeticOperation, _ right: Self) -> Self {
        var counts = right.range.unsigned
        if counts.highest >= Word.bitWidth { counts = (0, Word(Word.bitWidth - 1)) }
        if let constant = right.constant {
            let masked = constant & Word(Word.bitWidth - 1)
            counts = (masked, masked)
        }
        let (least, most) = (Int(counts.lowest), Int(counts.highest))
        switch operation {
        case .shiftLeft: return shiftedLeft(least, most)
        case .shiftRight:
            let (lowest, highest) = range.unsigned
            let range = CircularRange(from: lowest >> Word(most), through: highest >> Word(least))
            return Self(bits: least == most ? bits.shiftedRight(least) : .unknown, range: range)
        default:
            let (lowest, highest) = range.signed
            let first = lowest.arithmeticallyShiftedRight(lowest & .signBit != 0 ? least : most)
            let last = highest.arithmeticallyShiftedRight(highest & .signBit != 0 ? most : least)
            return Self(
                bits: least == most ? bits.arithmeticallyShiftedRight(least) : .unknown,
                range: CircularRange(from: first, through: last))
        }
    }

    private func shiftedLeft(_ least: Int, _ most: Int) -> Self {
        if least == most {
            return Self(bits: bits.shiftedLeft(least), range: range.multiplied(by: 1 << Word(least)))
        }
        let empty = min((~bits.zeros).trailingZeroBitCount + least, Word.bitWidth - 1)
        let zeros: Word = (1 << Word(empty)) &- 1
        let bits = KnownBits<Word>(zeros: zeros, ones: 0)
        let (lowest, highest) = range.unsigned
        guard highest <= Word.max >> Word(most) else { return Self(bits: bits) }
        return Self(
            bits: bits, range: CircularRange(from: lowest << Word(least), through: highest << Word(most)))
    }

    /// The lower bits with their sign before them.
    func signExtended(from width: Int) -> Self {
        guard width > 0, width < Word.bitWidth else { return self }
        let distance = Self(Word(Word.bitWidth - width))
        return shifted(.shiftLeft, distance).shifted(.arithmeticShiftRight, distance)
    }
}
