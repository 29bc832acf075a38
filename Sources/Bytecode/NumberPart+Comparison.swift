// SPDX-License-Identifier: Apache-2.0

extension NumberPart {
    private func within(_ lowest: Word, _ highest: Word) -> Self? {
        guard let range = range.intersected(CircularRange(from: lowest, through: highest)) else { return nil }
        return Self(bits: bits, range: range)
    }

    /// Both where a comparison of them holds, or does not hold; nil if that cannot be.
    func compared(_ condition: Condition, _ right: Self, holds: Bool) -> (Self, Self)? {
        if condition == .anyBitSet {
            return holds ? sharingBits(with: right) : sharingNoBits(with: right)
        }
        guard holds else {
            guard let inverted = condition.inverted else { return (self, right) }
            return compared(inverted, right, holds: true)
        }
        switch condition {
        case .equal:
            let bits = bits.intersected(right.bits)
            guard let range = range.intersected(right.range), !bits.isContradiction else { return nil }
            let both = Self(bits: bits, range: range)
            return (both, both)
        case .notEqual:
            guard let left = without(right), let right = right.without(self) else { return nil }
            return (left, right)
        case .less: return ordered(right, isStrict: true)
        case .lessOrEqual: return ordered(right, isStrict: false)
        case .greater: return right.ordered(self, isStrict: true).map { ($1, $0) }
        case .greaterOrEqual: return right.ordered(self, isStrict: false).map { ($1, $0) }
        case .signedLess: return signedOrdered(right, isStrict: true)
        case .signedLessOrEqual: return signedOrdered(right, isStrict: false)
        case .signedGreater: return right.signedOrdered(self, isStrict: true).map { ($1, $0) }
        case .signedGreaterOrEqual: return right.signedOrdered(self, isStrict: false).map { ($1, $0) }
        case .anyBitSet: return (self, right)
        }
    }

    /// Without what the other is, if that is a constant at one of the ends.
    private func without(_ other: Self) -> Self? {
        guard let constant = other.constant else { return self }
        if range.span == 0 { return range.start == constant ? nil : self }
        if range.start == constant {
            return Self(bits: bits, range: CircularRange(start: constant &+ 1, span: range.span - 1))
        }
        if range.end == constant {
            return Self(bits: bits, range: CircularRange(start: range.start, span: range.span - 1))
        }
        return self
    }

    private func ordered(_ right: Self, isStrict: Bool) -> (Self, Self)? {
        let lowest = max(range.unsigned.lowest, bits.lowest)
        let highest = min(right.range.unsigned.highest, right.bits.highest)
        if isStrict, highest == 0 || lowest == .max { return nil }
        guard let left = within(0, isStrict ? highest - 1 : highest),
            let right = right.within(isStrict ? lowest + 1 : lowest, .max)
        else { return nil }
        return (left, right)
    }

    private func signedOrdered(_ right: Self, isStrict: Bool) -> (Self, Self)? {
        let (least, greatest) = (Word.signBit, Word.signBit - 1)
        let lowest = range.signed.lowest
        let highest = right.range.signed.highest
        if isStrict, highest == least || lowest == greatest { return nil }
        guard let left = within(least, isStrict ? highest &- 1 : highest),
            let right = right.within(isStrict ? lowest &+ 1 : lowest, greatest)
        else { return nil }
        return (left, right)
    }

    private func sharingBits(with right: Self) -> (Self, Self)? {
        let possible = bits.highest & right.bits.highest
        if possible == 0 { return nil }
        guard possible.nonzeroBitCount == 1 else { return (self, right) }
        var (left, right) = (self, right)
        left.bits.ones |= possible
        right.bits.ones |= possible
        return (left, right)
    }

    private func sharingNoBits(with right: Self) -> (Self, Self)? {
        if bits.ones & right.bits.ones != 0 { return nil }
        var left = self
        var other = right
        left.bits.zeros |= right.bits.ones
        other.bits.zeros |= bits.ones
        return (left, other)
    }
}
