// SPDX-License-Identifier: Apache-2.0

/// Decisions one behind the other, each of which leads to the same place by one answer and to the next one by the other, and
/// nothing leads into the middle: so it is the same in which order they are asked, as long as all can be asked.
struct ClassicChain: Sendable {
    private var numbers: [Int]
    private var outside: Int
    /// The answer that leads outside.
    private var answer: Bool

    /// By the number of the first one.
    static func all(in decisions: [ClassicDecision], _ values: ClassicValues) -> [Int: ClassicChain] {
        var predecessors = [Int](repeating: 0, count: decisions.count)
        var isReached = predecessors.map { _ in false }
        isReached[0] = true
        for number in decisions.indices where isReached[number] {
            for target in decisions[number].end.targets {
                isReached[target] = true
                predecessors[target] += 1
            }
        }
        var result: [Int: ClassicChain] = [:]
        var isTaken = predecessors.map { _ in false }
        for number in decisions.indices where isReached[number] && !isTaken[number] {
            for answer in [true, false] {
                let chain = ClassicChain(from: number, answer, decisions, values) { predecessors[$0] == 1 }
                guard let chain else { continue }
                for each in chain.numbers { isTaken[each] = true }
                result[number] = chain
                break
            }
        }
        return result
    }

    /// nil if it is too short to be worth it.
    private init?(
        from first: Int, _ answer: Bool, _ decisions: [ClassicDecision], _ values: ClassicValues,
        isEnteredOnce: (Int) -> Bool
    ) {
        numbers = []
        self.answer = answer
        guard case .test(_, let ifTrue, let ifFalse) = decisions[first].end else { return nil }
        outside = answer ? ifTrue : ifFalse
        var next = first
        while case .test(let test, let ifTrue, let ifFalse) = decisions[next].end,
            (answer ? ifTrue : ifFalse) == outside, !decisions[next].isFixed,
            Self.isSimple(test, values),
            next == first || (decisions[next].checks.isEmpty && isEnteredOnce(next))
        {
            numbers.append(next)
            next = answer ? ifFalse : ifTrue
        }
        guard numbers.count > 2 else { return nil }
    }

    /// Whether it can be written in any place.
    private static func isSimple(_ test: ClassicTest, _ values: ClassicValues) -> Bool {
        guard values.constant(test.right) != nil else { return false }
        func isLoad(_ value: ClassicValues.Value) -> Bool {
            switch values[value] {
            case .packet, .length: return true
            case .indexed(_, let base, _):
                if case .headerLength = values[base] { return true }
                return false
            default: return false
            }
        }
        if case .arithmetic(_, let left, let right) = values[test.left] {
            return isLoad(left) && values.constant(right) != nil
        }
        return isLoad(test.left)
    }

    /// Puts questions about the same number behind each other, as far as everything that they ask for is known to be there
    /// when the first one is asked.
    func arrange(
        _ decisions: inout [ClassicDecision], knowing facts: ClassicFacts, _ values: ClassicValues
    ) {
        var tests: [ClassicTest] = []
        for number in numbers {
            guard case .test(let test, _, _) = decisions[number].end, isSafe(test.left, facts, values) else {
                break
            }
            tests.append(test)
        }
        var order: [ClassicValues.Value: Int] = [:]
        for test in tests where order[test.left] == nil { order[test.left] = order.count }
        let arranged = tests.enumerated().sorted { first, second in
            let (a, b) = (order[first.element.left] ?? 0, order[second.element.left] ?? 0)
            return a == b ? first.offset < second.offset : a < b
        }.map(\.element)
        for (number, test) in zip(numbers, arranged) {
            guard case .test(let former, let ifTrue, let ifFalse) = decisions[number].end, former != test
            else {
                continue
            }
            decisions[number].end = .test(test, ifTrue: ifTrue, ifFalse: ifFalse)
            decisions[number].isReplaced = true
        }
    }

    private func isSafe(
        _ value: ClassicValues.Value, _ facts: ClassicFacts, _ values: ClassicValues
    ) -> Bool {
        (!values.canFail(value) || facts.isSafe(value, values))
            && values.operands(value).allSatisfy { isSafe($0, facts, values) }
    }
}
