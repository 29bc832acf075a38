// SPDX-License-Identifier: Apache-2.0
import XDP

/// What a change of a filter did.
public struct FilterReport: Sendable {
    /// What became of a set.
    public struct SetChange: Sendable, Hashable {
        public enum Outcome: String, Sendable, Hashable {
            case added, removed
            /// Its declaration and its file are as before; its elements were not touched.
            case kept
            /// It has the same maps; elements were added to it and taken away.
            case updated
            /// It was made anew, because its declaration is another one.
            case replaced
        }

        public var name: String
        public var outcome: Outcome
        /// The elements that it has now; nil for one that is gone.
        public var elements: Int?
    }

    /// What happened to the chain.
    public var change: ChangeReport
    public var name: String
    /// The rules that are new, as they are written canonically.
    public var added: [String] = []
    public var removed: [String] = []
    public var kept = 0
    /// Whether rules that stay stand in another order.
    public var isReordered = false
    public var sets: [SetChange] = []
    /// What may be a mistake in the rules or in files of sets.
    public var warnings: [Finding] = []
    /// Where new rules wait to be confirmed.
    public var gate: FilterGate?
    /// Whether it was only tried.
    public var isDryRun = false

    /// The rules that there are now.
    public var count: Int { added.count + kept }
}

/// What differs between two rule sets.
struct RuleDifference {
    private(set) var added: [String] = []
    private(set) var removed: [String] = []
    private(set) var kept = 0
    private(set) var isReordered = false

    /// - Parameter old: nil where there were no rules.
    init(from old: RuleSet?, to new: RuleSet) {
        let former = old?.identities.map(\.identity) ?? []
        let present = new.identities.map(\.identity)
        let known = Set(former)
        let wanted = Set(present)
        added = present.filter { !known.contains($0) }.map(Self.text)
        removed = former.filter { !wanted.contains($0) }.map(Self.text)
        let staying = present.filter { known.contains($0) }
        kept = staying.count
        isReordered = staying != former.filter { wanted.contains($0) }
    }

    private static func text(_ identity: RuleIdentity) -> String {
        switch identity {
        case .rule(nil, let text, _): text
        case .rule(let group?, let text, _): "\(text)  (group \(group))"
        case .counter(let name): "counter \(name)"
        case .policy(let verdict): "default \(verdict)"
        }
    }
}
