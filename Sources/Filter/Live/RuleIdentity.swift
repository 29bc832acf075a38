// SPDX-License-Identifier: Apache-2.0
import XDP

/// What makes a rule the same over a change of the rules around it, so that it keeps its counter.
public enum RuleIdentity: Sendable, Hashable {
    /// The rule as it is written canonically, without its comment; in which group (nil: the main rules), and
    /// which of several that are written alike, from 0.
    case rule(group: String?, text: String, occurrence: Int)
    /// All rules that count in the counter of that name.
    case counter(String)
    case policy(Verdict)
}

extension RuleSet {
    /// The rules in the order in which they are written, groups behind the main rules; the policy is not among
    /// them.
    var numbered: [(id: RuleID, rule: Rule)] {
        var all = rules.enumerated().map { (RuleID.rule(group: nil, index: $0.offset), $0.element) }
        for group in groups {
            all += group.rules.enumerated().map {
                (RuleID.rule(group: group.name, index: $0.offset), $0.element)
            }
        }
        return all
    }

    /// Each rule, as it is known again; rules that share a counter each have an identity of their own here.
    var identities: [(id: RuleID, identity: RuleIdentity)] {
        var seen: [RuleIdentity: Int] = [:]
        var found: [(id: RuleID, identity: RuleIdentity)] = []
        for (id, rule) in numbered {
            guard case .rule(let group, _) = id else { continue }
            var plain = rule
            plain.comment = nil
            let text = plain.text
            let first = RuleIdentity.rule(group: group, text: text, occurrence: 0)
            let occurrence = seen[first, default: 0]
            seen[first] = occurrence + 1
            found.append((id, .rule(group: group, text: text, occurrence: occurrence)))
        }
        found.append((.policy, .policy(policy)))
        return found
    }

    /// What counts: by rule, under which identity. Rules of a named counter share one.
    var counting: [(id: RuleID, identity: RuleIdentity)] {
        identities.compactMap { id, identity in
            let rule = self[id]
            guard countsRules || rule?.counter != nil else { return nil }
            return (id, rule?.counter.map { .counter($0) } ?? identity)
        }
    }
}
