// SPDX-License-Identifier: Apache-2.0

/// A question about numbers, in one form for all ways of asking the same.
struct ClassicTest: Hashable, Sendable {
    typealias Value = ClassicValues.Value

    /// `equal`, `greater` or `anyBitSet`; between two numbers that are no constants `greaterOrEqual` too.
    var condition: ClassicCondition
    var left: Value
    var right: Value

    enum Simplified {
        case decided(Bool)
        case test(ClassicTest, isInverted: Bool)
    }

    static func simplified(
        _ condition: ClassicCondition, _ left: Value, _ right: Value, _ values: inout ClassicValues
    ) -> Simplified {
        if let l = values.constant(left), let r = values.constant(right) {
            return .decided(condition.holds(l, r))
        }
        if let number = values.constant(right) { return against(condition, left, number, &values) }
        if let number = values.constant(left) {
            switch condition {
            case .equal, .anyBitSet: return against(condition, right, number, &values)
            case .greater: return against(.greaterOrEqual, right, number, &values).inverted
            case .greaterOrEqual: return against(.greater, right, number, &values).inverted
            }
        }
        if left == right {
            switch condition {
            case .equal, .greaterOrEqual: return .decided(true)
            case .greater: return .decided(false)
            case .anyBitSet: return against(.equal, left, 0, &values).inverted
            }
        }
        return .test(ClassicTest(condition: condition, left: left, right: right), isInverted: false)
    }

    /// Questions about a number and a constant.
    private static func against(
        _ condition: ClassicCondition, _ left: Value, _ number: UInt32, _ values: inout ClassicValues
    ) -> Simplified {
        let bits = values.bits(left)
        switch condition {
        case .greaterOrEqual:
            return number == 0 ? .decided(true) : against(.greater, left, number - 1, &values)
        case .greater:
            // No number has more than all bits that it may have.
            if number >= bits { return .decided(false) }
            if number == 0 { return against(.equal, left, 0, &values).inverted }
        case .anyBitSet:
            if number & bits == 0 { return .decided(false) }
            if case .arithmetic(.and, let inner, let mask) = values[left], let mask = values.constant(mask) {
                return against(.anyBitSet, inner, number & mask, &values)
            }
            if number & bits == bits { return against(.equal, left, 0, &values).inverted }
            let right = values.number(number & bits)
            return .test(ClassicTest(condition: .anyBitSet, left: left, right: right), isInverted: false)
        case .equal:
            if number & ~bits != 0 { return .decided(false) }
            if case .arithmetic(let operation, let inner, let second) = values[left] {
                let constant = values.constant(second)
                switch (operation, constant) {
                case (.add, let added?): return against(.equal, inner, number &- added, &values)
                case (.xor, let mask?): return against(.equal, inner, number ^ mask, &values)
                case (.subtract, nil) where number == 0: return simplified(.equal, inner, second, &values)
                case (.and, let mask?) where number == 0 && values.bits(inner) & mask != values.bits(inner):
                    let right = values.number(mask & values.bits(inner))
                    return .test(
                        ClassicTest(condition: .anyBitSet, left: inner, right: right), isInverted: true)
                case (.and, let mask?) where number == mask && mask.nonzeroBitCount == 1:
                    return against(.anyBitSet, inner, mask, &values)
                default: break
                }
            }
        }
        let right = values.number(number)
        return .test(ClassicTest(condition: condition, left: left, right: right), isInverted: false)
    }
}

extension ClassicTest.Simplified {
    var inverted: Self {
        switch self {
        case .decided(let answer): .decided(!answer)
        case .test(let test, let isInverted): .test(test, isInverted: !isInverted)
        }
    }
}
