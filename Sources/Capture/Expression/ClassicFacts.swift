// SPDX-License-Identifier: Apache-2.0

/// What is known of a packet at a place of the program, by what was asked and loaded on every way there.
struct ClassicFacts: Sendable {
    typealias Value = ClassicValues.Value

    /// What is known of a number beside the bits that it can have at all.
    struct Knowledge: Hashable, Sendable {
        var low: UInt32 = 0
        var high: UInt32
        /// Bits that are set, and that may be.
        var ones: UInt32 = 0
        var possible: UInt32
        /// Some numbers that it is not.
        var excluded: [UInt32] = []
        /// Beyond that nothing is kept: lists of hundreds of addresses are compared once each.
        static let most = 24

        init(bits: UInt32) {
            possible = bits
            high = bits
        }

        var exact: UInt32? { low == high ? low : nil }

        mutating func exclude(_ number: UInt32) {
            if number == low, low < high { low += 1 }
            if number == high, low < high { high -= 1 }
            if excluded.count < Self.most, !excluded.contains(number) { excluded.append(number) }
        }

        func joined(_ other: Knowledge) -> Knowledge {
            var result = self
            result.low = min(low, other.low)
            result.high = max(high, other.high)
            result.ones = ones & other.ones
            result.possible = possible | other.possible
            result.excluded = excluded.filter { other.excludes($0) }
            for number in other.excluded where excludes(number) && result.excluded.count < Self.most {
                if !result.excluded.contains(number) { result.excluded.append(number) }
            }
            return result
        }

        func excludes(_ number: UInt32) -> Bool {
            number < low || number > high || number & ~possible != 0 || ~number & ones != 0
                || excluded.contains(number)
        }
    }

    /// Bytes that are there.
    private(set) var length: UInt64 = 0
    /// By what loads count from: up to where bytes are there.
    private(set) var indexed: [Value: UInt64] = [:]
    /// Numbers that do not divide by zero.
    private(set) var divided: Set<Value> = []
    private(set) var numbers: [Value: Knowledge] = [:]
    /// Answers that say nothing of a single number.
    private(set) var answers: [ClassicTest: Bool] = [:]

    mutating func join(_ other: ClassicFacts) {
        length = min(length, other.length)
        indexed = indexed.reduce(into: [:]) { result, entry in
            if let end = other.indexed[entry.key] { result[entry.key] = min(entry.value, end) }
        }
        if !divided.isEmpty { divided.formIntersection(other.divided) }
        numbers = numbers.reduce(into: [:]) { result, entry in
            if let known = other.numbers[entry.key] { result[entry.key] = entry.value.joined(known) }
        }
        if !answers.isEmpty { answers = answers.filter { other.answers[$0.key] == $0.value } }
    }

    // MARK: - What can end the program

    /// Whether evaluating this, beside its operands, cannot end the program any more.
    func isSafe(_ value: Value, _ values: ClassicValues) -> Bool {
        switch values[value] {
        case .packet(let size, let offset): UInt64(offset) + UInt64(size.bytes) <= length
        case .headerLength(let offset): UInt64(offset) + 1 <= length
        case .indexed(let size, let base, let offset):
            UInt64(offset) + UInt64(size.bytes) <= indexed[base] ?? 0
        default: divided.contains(value)
        }
    }

    /// It did not end the program.
    mutating func note(_ value: Value, _ values: ClassicValues) {
        switch values[value] {
        case .packet(let size, let offset): length = max(length, UInt64(offset) + UInt64(size.bytes))
        case .headerLength(let offset): length = max(length, UInt64(offset) + 1)
        case .indexed(let size, let base, let offset):
            let end = UInt64(offset) + UInt64(size.bytes)
            indexed[base] = max(indexed[base] ?? 0, end)
            length = max(length, end)
        default: divided.insert(value)
        }
    }

    // MARK: - Questions

    func answer(to test: ClassicTest, _ values: ClassicValues) -> Bool? {
        if let known = answers[test] { return known }
        guard let number = values.constant(test.right) else {
            guard let l = exact(test.left, values), let r = exact(test.right, values) else { return nil }
            return test.condition.holds(l, r)
        }
        if let exact = exact(test.left, values) { return test.condition.holds(exact, number) }
        guard let known = numbers[test.left] else { return nil }
        switch test.condition {
        case .equal: return known.excludes(number) ? false : nil
        case .greater: return known.low > number ? true : known.high <= number ? false : nil
        case .greaterOrEqual: return known.low >= number ? true : known.high < number ? false : nil
        case .anyBitSet: return known.ones & number != 0 ? true : known.possible & number == 0 ? false : nil
        }
    }

    /// The number, if it can be but one.
    private func exact(_ value: Value, _ values: ClassicValues) -> UInt32? {
        if let number = values.constant(value) { return number }
        if let known = numbers[value]?.exact { return known }
        guard case .arithmetic(let operation, let left, let right) = values[value],
            let number = values.constant(right), let known = numbers[left]?.exact
        else { return nil }
        return operation.result(known, number)
    }

    mutating func note(_ test: ClassicTest, is answer: Bool, _ values: ClassicValues) {
        guard let number = values.constant(test.right) else {
            answers[test] = answer
            return
        }
        if test.condition == .anyBitSet { answers[test] = answer }
        var known = numbers[test.left] ?? Knowledge(bits: values.bits(test.left))
        switch (test.condition, answer) {
        case (.equal, true):
            (known.low, known.high) = (number, number)
            (known.ones, known.possible) = (number, number)
        case (.equal, false): known.exclude(number)
        case (.greater, true): known.low = max(known.low, number &+ 1)
        case (.greater, false): known.high = min(known.high, number)
        case (.greaterOrEqual, true): known.low = max(known.low, number)
        case (.greaterOrEqual, false): known.high = min(known.high, number &- 1)
        case (.anyBitSet, true):
            known.exclude(0)
            if number.nonzeroBitCount == 1 { known.ones |= number }
        case (.anyBitSet, false): known.possible &= ~number
        }
        numbers[test.left] = known
    }
}
