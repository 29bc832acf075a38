// SPDX-License-Identifier: Apache-2.0
import XDP

/// Changes of single rules, as somebody asks for them who sees the rules with numbers from 1.
extension RuleSet {
    /// The rules of a group, or the main ones.
    public func rules(ofGroup name: String?, _ what: String) throws(XDPError) -> [Rule] {
        guard let name else { return rules }
        if let group = group(name) { return group.rules }
        throw XDPError(
            .refused, what, because: "there is no group \(name)",
            remedy: groups.isEmpty
                ? "The filter has no groups" : "Groups are \(groups.map(\.name).joined(separator: ", "))")
    }

    /// Puts a rule before the one of an index, or at the end.
    public mutating func insert(
        _ rule: Rule, at index: Int, group: String?, _ what: String
    ) throws(XDPError) {
        var list = try rules(ofGroup: group, what)
        list.insert(rule, at: min(max(index, 0), list.count))
        replace(list, ofGroup: group)
    }

    /// Takes the rule of a number away.
    public mutating func remove(number: Int, group: String?, _ what: String) throws(XDPError) {
        var list = try rules(ofGroup: group, what)
        guard (1...max(list.count, 1)).contains(number), !list.isEmpty else {
            throw XDPError(
                .refused, what, because: "there is no rule \(number): \(list.count) rules are there",
                remedy: "`xdpctl filter list --numbers` shows them")
        }
        list.remove(at: number - 1)
        replace(list, ofGroup: group)
    }

    /// Takes the first rule away that does the same to the same packets. Its counter and comment count only where
    /// they are said.
    public mutating func remove(alike rule: Rule, group: String?, _ what: String) throws(XDPError) {
        var list = try rules(ofGroup: group, what)
        let exact = list.firstIndex(of: rule)
        let alike = list.firstIndex { other in
            var other = other
            if rule.comment == nil { other.comment = nil }
            if rule.counter == nil { other.counter = nil }
            return other == rule
        }
        guard let index = exact ?? alike else {
            throw XDPError(
                .refused, what, because: "no rule does that: \(rule.text)",
                remedy: "`xdpctl filter list` shows the rules")
        }
        list.remove(at: index)
        replace(list, ofGroup: group)
    }

    private mutating func replace(_ list: [Rule], ofGroup name: String?) {
        guard let name else {
            rules = list
            return
        }
        if let place = groups.firstIndex(where: { $0.name == name }) { groups[place].rules = list }
    }
}
