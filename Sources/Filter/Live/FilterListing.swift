// SPDX-License-Identifier: Apache-2.0
import XDP

/// The rules of a filter as a rule file, with remarks behind what they are about. It can be read back: a remark is
/// a comment.
public struct FilterListing: Sendable {
    /// The canonical text, line by line.
    private var lines: [String]
    private let rules: RuleSet

    /// - Parameter rules: as they shall be shown.
    public init(_ rules: RuleSet) throws(XDPError) {
        let text = rules.text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // Where each rule stands.
        self.rules = try RuleSet(recorded: text, "The rules cannot be listed")
    }

    /// Puts a remark behind a rule, or the policy.
    public mutating func remark(_ text: String, on id: RuleID) {
        switch id {
        case .policy:
            guard let line = lines.lastIndex(where: { $0.hasPrefix("  default ") }) else { return }
            lines[line] += "  # " + text
        case .rule: remark(text, atLine: rules[id]?.place.line)
        }
    }

    /// Puts a remark behind the declaration of a set.
    public mutating func remark(_ text: String, onSet name: String) {
        remark(text, atLine: rules.set(name)?.place.line)
    }

    private mutating func remark(_ text: String, atLine line: Int?) {
        guard let line, lines.indices.contains(line - 1) else { return }
        lines[line - 1] += "  # " + text
    }

    public var text: String { lines.joined(separator: "\n") }
}

extension LiveFilter {
    /// The rules as they are listed, in order, groups behind the main rules: with their numbers from 1 within the
    /// main rules or the group, and what they counted.
    public func rows(_ counted: [RuleIdentity: Counter]) -> [Row] {
        rules.numbered.map { id, rule in
            var group: String?
            var number = 0
            if case .rule(let name, let index) = id {
                group = name
                number = index + 1
            }
            return Row(
                id: id, group: group, number: number, rule: rule,
                counter: counters[id].flatMap { counted[$0.identity] })
        }
    }

    /// One rule of a list.
    public struct Row: Sendable, Hashable {
        public var id: RuleID
        public var group: String?
        public var number: Int
        public var rule: Rule
        /// Missing where the rule does not count.
        public var counter: Counter?
    }

    /// What the policy counted.
    public func policyCounter(_ counted: [RuleIdentity: Counter]) -> Counter? {
        counters[.policy].flatMap { counted[$0.identity] }
    }
}
