// SPDX-License-Identifier: Apache-2.0
import XDP

/// Consecutive rules that decide and are alike but for the address, or the exact values of some fields: one lookup
/// says which of them is meant.
struct RuleRun: Sendable {
    /// What all of them ask.
    var common: Conjunction
    /// What each asks of its own: one address field, or fields with one value each.
    var fields: [FieldKey]
    var rules: [FlatRule]
    /// The constraints of each rule on the ``fields``, in their order.
    var values: [[Constraint]]

    /// Fewer rules than this are not worth a lookup.
    static let minimum = 12
}

/// What packets meet one after the other.
enum Step: Sendable {
    case rule(FlatRule, [Conjunction])
    case run(RuleRun)

    /// The rule that stands for it in messages.
    var rule: FlatRule? {
        switch self {
        case .rule(let rule, _): rule
        case .run(let run): run.rules.first
        }
    }
}

/// Finds runs.
struct RunFinder {
    private(set) var steps: [Step] = []
    private var pending: [(rule: FlatRule, conjunction: Conjunction)] = []
    /// The fields in which those in `pending` differ; nil while there is only one.
    private var varying: [FieldKey]?

    init(_ rules: [FlatRule], _ normalizer: inout MatchNormalizer) {
        for rule in rules {
            let conjunctions = normalizer.conjunctions(of: rule.match)
            // What matches no packet is no rule.
            guard let only = conjunctions.first else { continue }
            if conjunctions.count == 1, rule.decides, !only.constraints.isEmpty {
                add(rule, only)
            } else {
                flush()
                steps.append(.rule(rule, conjunctions))
            }
        }
        flush()
    }

    private mutating func add(_ rule: FlatRule, _ conjunction: Conjunction) {
        if let first = pending.first, !continues(conjunction, first.conjunction) { flush() }
        pending.append((rule, conjunction))
    }

    private mutating func continues(_ next: Conjunction, _ first: Conjunction) -> Bool {
        guard next.constraints.count == first.constraints.count else { return false }
        var different: [FieldKey] = []
        for (key, constraint) in first.constraints {
            guard let other = next[key] else { return false }
            if other != constraint { different.append(key) }
        }
        if let varying {
            guard different.allSatisfy(varying.contains) else { return false }
            return Self.canVary(varying, next)
        }
        guard !different.isEmpty else { return false }
        different.sort { $0.order < $1.order }
        guard Self.canVary(different, next), Self.canVary(different, first) else { return false }
        varying = different
        return true
    }

    private static func canVary(_ keys: [FieldKey], _ conjunction: Conjunction) -> Bool {
        if keys.count == 1, case .address(let set)? = conjunction[keys[0]] { return !set.hasAbsent }
        // The key has to find room in the scratch.
        guard keys.count <= 4 else { return false }
        return keys.allSatisfy { key in
            switch (key, conjunction[key]) {
            case (.small(.number(let field)), .small(let set)?):
                set.single.map { $0 <= field.maximum } ?? false
            case (.mac, .mac(let set)?): set.single.map { $0 < Constraint.absentMAC } ?? false
            // Families do not mix in one key.
            case (.address, .address(let set)?):
                !set.hasAbsent
                    && (set.four.isEmpty ? set.six.single != nil : set.six.isEmpty && set.four.single != nil)
            default: false
            }
        } && keys.filter { if case .address = $0 { true } else { false } }.count < 2
    }

    private mutating func flush() {
        defer {
            pending = []
            varying = nil
        }
        guard pending.count >= RuleRun.minimum, let varying, let first = pending.first else {
            for (rule, conjunction) in pending { steps.append(.rule(rule, [conjunction])) }
            return
        }
        var common = first.conjunction
        for key in varying { common.remove(key) }
        steps.append(
            .run(
                RuleRun(
                    common: common, fields: varying, rules: pending.map(\.rule),
                    values: pending.map { one in varying.compactMap { one.conjunction[$0] } })))
    }
}
