// SPDX-License-Identifier: Apache-2.0

extension NumberSet {
    /// What both numbers can be where a comparison of them holds, or does not; nil if that cannot be.
    ///
    /// - Parameter is32: whether the lower halves are compared.
    public static func compare(
        _ left: NumberSet, _ condition: Condition, _ right: NumberSet, is32: Bool, holds: Bool
    ) -> (left: NumberSet, right: NumberSet)? {
        if is32 {
            guard let parts = left.low.compared(condition, right.low, holds: holds),
                let first = left.narrowed(low: parts.0)?.filtered(
                    {
                        NumberPart(UInt32(truncatingIfNeeded: $0)).compared(
                            condition, right.low, holds: holds) != nil
                    }),
                let second = right.narrowed(low: parts.1)?.filtered(
                    {
                        left.low.compared(condition, NumberPart(UInt32(truncatingIfNeeded: $0)), holds: holds)
                            != nil
                    })
            else { return nil }
            return exact(first, condition, second, is32, holds)
        }
        guard let parts = left.whole.compared(condition, right.whole, holds: holds),
            let first = left.narrowed(parts.0)?.filtered(
                { NumberPart($0).compared(condition, right.whole, holds: holds) != nil }),
            let second = right.narrowed(parts.1)?.filtered(
                { left.whole.compared(condition, NumberPart($0), holds: holds) != nil })
        else { return nil }
        return exact(first, condition, second, is32, holds)
    }

    /// Of two lists, the numbers that have a partner.
    private static func exact(
        _ left: NumberSet, _ condition: Condition, _ right: NumberSet, _ is32: Bool, _ holds: Bool
    ) -> (left: NumberSet, right: NumberSet)? {
        guard let own = left.members, let others = right.members else { return (left, right) }
        let isPossible = { (left: UInt64, right: UInt64) in condition.holds(left, right, is32: is32) == holds
        }
        guard let first = NumberSet(own.filter { left in others.contains { isPossible(left, $0) } }),
            let second = NumberSet(others.filter { right in own.contains { isPossible($0, right) } })
        else { return nil }
        return (first, second)
    }

    /// The numbers that are in this set and in the other.
    public func intersected(_ other: NumberSet) -> NumberSet? {
        if let members { return NumberSet(members.filter(other.contains)) }
        if let members = other.members { return NumberSet(members.filter(contains)) }
        guard let range = range.intersected(other.range), let half = lowRange.intersected(other.lowRange)
        else {
            return nil
        }
        return Self.reduced(bits.intersected(other.bits), range, half)
    }

    private func filtered(_ isMember: (UInt64) -> Bool) -> NumberSet? {
        guard let members else { return self }
        return NumberSet(members.filter(isMember))
    }

    private func narrowed(_ part: NumberPart<UInt64>) -> NumberSet? {
        if members != nil { return self }
        return Self.reduced(part.bits, part.range, lowRange)
    }

    private func narrowed(low part: NumberPart<UInt32>) -> NumberSet? {
        if members != nil { return self }
        return Self.reduced(bits.intersected(KnownBits(low: part.bits)), range, part.range)
    }

    /// The numbers whose lower half can be the other's lower half.
    public func withLowHalf(of other: NumberSet) -> NumberSet? {
        if let members {
            return NumberSet(members.filter { other.lowContains(UInt32(truncatingIfNeeded: $0)) })
        }
        guard let half = lowRange.intersected(other.lowRange) else { return nil }
        return Self.reduced(bits.intersected(KnownBits(low: other.bits.low)), range, half)
    }
}

extension Condition {
    /// Whether it holds for two numbers, or for their lower halves.
    public func holds(_ left: UInt64, _ right: UInt64, is32: Bool) -> Bool {
        let shift: UInt64 = is32 ? 32 : 0
        // Moved up, halves compare like whole numbers, also as signed ones.
        let (left, right) = (left << shift, right << shift)
        let (signedLeft, signedRight) = (Int64(bitPattern: left), Int64(bitPattern: right))
        return switch self {
        case .equal: left == right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .anyBitSet: left & right != 0
        case .notEqual: left != right
        case .signedGreater: signedLeft > signedRight
        case .signedGreaterOrEqual: signedLeft >= signedRight
        case .less: left < right
        case .lessOrEqual: left <= right
        case .signedLess: signedLeft < signedRight
        case .signedLessOrEqual: signedLeft <= signedRight
        }
    }
}
