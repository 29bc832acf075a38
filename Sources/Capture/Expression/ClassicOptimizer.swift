// SPDX-License-Identifier: Apache-2.0

/// Makes a program of libpcap's machine shorter, and never changes what it says of any packet.
///
/// libpcap asks for everything that a primitive needs each time that it stands in an expression: what `tcp port 443 and host
/// 192.0.2.7` compiles to looks at the Ethernet type ten times. The steps:
///
/// 1. Each block that shares nothing with others becomes a decision (``ClassicDecision``): one question about expressions over
///    the packet in their simplest form, so constants are folded, and what is stored and never read is gone.
/// 2. From the first block to the last it is worked out what is known (``ClassicFacts``): numbers by the questions that were
///    answered, and how many bytes there are by the loads that did not end the program. A question whose answer is known
///    becomes a way, a load that cannot fail any more is no reason to come by.
/// 3. A way that leads to a block which does nothing but ask what is known on this way leads to that block's answer instead.
/// 4. Blocks that do the same and lead to the same become one; what nothing leads to is gone.
/// 5. Where one of many questions leads to the same place, as in a list of hosts, those about the same number stand together
///    (``ClassicChain``).
/// 6. All that is repeated until nothing changes. Then instructions are written (``ClassicWriter``), which find in A and X
///    what earlier blocks left there.
struct ClassicOptimizer {
    private let graph: ClassicGraph
    private var values = ClassicValues()
    private var decisions: [ClassicDecision]
    /// Lists of questions to be put in order, by their first decision.
    private var chains: [Int: ClassicChain] = [:]

    /// Enough for everything that libpcap writes; more would be right, too.
    private static let mostRounds = 12

    static func optimized(_ graph: ClassicGraph) -> ClassicGraph {
        var optimizer = ClassicOptimizer(graph)
        optimizer.settle()
        optimizer.chains = ClassicChain.all(in: optimizer.decisions, optimizer.values)
        if !optimizer.chains.isEmpty {
            _ = optimizer.applyFacts()
            optimizer.chains = [:]
            optimizer.settle()
        }
        return ClassicWriter(optimizer.graph, optimizer.decisions, optimizer.values).written()
    }

    /// Steps 2 to 4.
    private mutating func settle() {
        for _ in 0..<Self.mostRounds {
            let knewMore = applyFacts()
            guard merge() || knewMore else { break }
        }
    }

    private init(_ graph: ClassicGraph) {
        self.graph = graph
        let atEntry = graph.placesAtEntry()
        var values = ClassicValues()
        decisions = graph.blocks.indices.map { number in
            let isFixed = !atEntry[number].isEmpty || !graph.placesAtExit(of: number, atEntry).isEmpty
            return ClassicDecision(number, of: graph, isFixed: isFixed, &values)
        }
        self.values = values
    }

    // MARK: - Facts

    /// Steps 2 and 3; whether anything changed.
    private mutating func applyFacts() -> Bool {
        var changed = false
        var atEntry = [ClassicFacts?](repeating: nil, count: decisions.count)
        atEntry[0] = ClassicFacts()
        for number in decisions.indices {
            guard var facts = atEntry[number] else { continue }
            // Known from here on; nothing reads it twice.
            atEntry[number] = nil
            var decision = decisions[number]
            let checks = decision.checks.filter { !facts.isSafe($0, values) }
            if checks.count < decision.checks.count, !decision.isFixed {
                decision.checks = checks
                changed = true
            }
            for check in checks { facts.note(check, values) }
            if let chain = chains[number] {
                chain.arrange(&decisions, knowing: facts, values)
                decision.end = decisions[number].end
                decision.isReplaced = decisions[number].isReplaced
            }
            if case .test(let test, let ifTrue, let ifFalse) = decision.end,
                let answer = facts.answer(to: test, values)
            {
                decision.end = .goto(answer ? ifTrue : ifFalse)
                changed = true
            }
            func lead(to target: Int, _ facts: ClassicFacts) -> Int {
                let reached = follow(target, facts)
                if reached != target { changed = true }
                if atEntry[reached]?.join(facts) == nil { atEntry[reached] = facts }
                return reached
            }
            switch decision.end {
            case .goto(let target): decision.end = .goto(lead(to: target, facts))
            case .test(let test, let ifTrue, let ifFalse):
                var other = facts
                facts.note(test, is: true, values)
                other.note(test, is: false, values)
                let yes = lead(to: ifTrue, facts)
                decision.end = .test(test, ifTrue: yes, ifFalse: lead(to: ifFalse, other))
            case .accept, .reject, .accumulator: break
            }
            decisions[number] = decision
        }
        return changed
    }

    /// Where a way leads in the end, if what it knows is enough to go through blocks.
    private func follow(_ start: Int, _ facts: ClassicFacts) -> Int {
        var number = start
        while true {
            let decision = decisions[number]
            guard !decision.isFixed, decision.checks.allSatisfy({ facts.isSafe($0, values) }) else {
                return number
            }
            switch decision.end {
            case .goto(let target): number = target
            case .test(let test, let ifTrue, let ifFalse):
                guard let answer = facts.answer(to: test, values) else { return number }
                number = answer ? ifTrue : ifFalse
            case .accept, .reject, .accumulator: return number
            }
        }
    }

    // MARK: - Merging

    private struct Identity: Hashable {
        var checks: Set<ClassicValues.Value>
        var end: ClassicDecision.End
        /// A fixed block is like no other.
        var fixed: Int?
    }

    /// Step 4; whether anything changed.
    private mutating func merge() -> Bool {
        var changed = false
        var isReached = [Bool](repeating: false, count: decisions.count)
        isReached[0] = true
        for number in decisions.indices where isReached[number] {
            for target in decisions[number].end.targets { isReached[target] = true }
        }
        var stands = Array(decisions.indices)
        var known: [Identity: Int] = [:]
        for number in decisions.indices.reversed() where isReached[number] {
            var decision = decisions[number]
            switch decision.end {
            case .goto(let target): decision.end = .goto(stands[target])
            case .test(let test, let ifTrue, let ifFalse):
                let (yes, no) = (stands[ifTrue], stands[ifFalse])
                // The answer makes no difference; what it was asked of may still end the program, which `checks` says.
                decision.end =
                    yes == no && !decision.isFixed
                    ? .goto(yes) : .test(test, ifTrue: yes, ifFalse: no)
            case .accept, .reject, .accumulator: break
            }
            if case .goto(let target) = decision.end, !decision.isFixed, decisions[target].end == .reject {
                decision.end = .reject
            }
            // Who ends the program for nothing does it here or there.
            if decision.end == .reject, !decision.isFixed { decision.checks = [] }
            if decision.end != decisions[number].end || decision.checks != decisions[number].checks {
                decisions[number] = decision
                changed = true
            }
            if case .goto(let target) = decision.end, decision.checks.isEmpty, !decision.isFixed {
                stands[number] = target
                continue
            }
            let identity = Identity(
                checks: Set(decision.checks), end: decision.end, fixed: decision.isFixed ? number : nil)
            if let twin = known[identity] {
                stands[number] = twin
            } else {
                known[identity] = number
            }
        }
        return changed
    }
}
