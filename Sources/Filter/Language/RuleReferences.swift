// SPDX-License-Identifier: Apache-2.0
import XDP

/// Whether the sets and groups that rules name are there and fit.
enum RuleReferences {
    /// What is wrong, and in which rule.
    struct Problem {
        var place: SourcePlace
        /// The name it is about; nil where it is about the rule.
        var reference: RuleReference?
        var what: String
        var remedy: String?
    }

    static func problems(in ruleSet: RuleSet) -> [Problem] {
        var checker = Checker(ruleSet)
        for rule in ruleSet.rules { checker.check(rule) }
        for group in ruleSet.groups { for rule in group.rules { checker.check(rule) } }
        checker.checkRecursion(ruleSet)
        return checker.problems
    }

    /// Of one rule that is to stand in a group (nil: among the main rules).
    static func problems(of rule: Rule, in group: String?, of ruleSet: RuleSet) -> [Problem] {
        var checker = Checker(ruleSet)
        checker.check(rule)
        if let group, let index = ruleSet.groups.firstIndex(where: { $0.name == group }) {
            var changed = ruleSet
            changed.groups[index].rules.append(rule)
            checker.checkRecursion(changed)
        }
        return checker.problems
    }

    private struct Checker {
        let sets: [String: SetDeclaration]
        let groups: [String: Int]
        var problems: [Problem] = []

        init(_ ruleSet: RuleSet) {
            sets = Dictionary(ruleSet.sets.map { ($0.name, $0) }) { first, _ in first }
            groups = Dictionary(ruleSet.groups.enumerated().map { ($1.name, $0) }) { first, _ in first }
        }

        mutating func check(_ rule: Rule) {
            if case .jump(let group) = rule.action, groups[group] == nil {
                add(
                    .group, group, rule, "there is no group \(group)",
                    Spelling.guess(group, among: groups.keys.sorted()))
            }
            check(rule.match, rule)
        }

        private mutating func check(_ match: Match, _ rule: Rule) {
            switch match {
            case .all(let parts), .any(let parts): for part in parts { check(part, rule) }
            case .not(let inner): check(inner, rule)
            case .test(.member(let name, let fields)): check(fields, of: name, rule)
            case .always, .test: break
            }
        }

        private mutating func check(_ fields: [SetField], of name: String, _ rule: Rule) {
            guard let set = sets[name] else {
                add(
                    .set, name, rule, "there is no set \(name)",
                    Spelling.guess(name, among: sets.keys.sorted()) ?? "set \(name) : KIND { … }")
                return
            }
            let fits = set.kinds.count == fields.count && zip(set.kinds, fields).allSatisfy { $1.fits($0) }
            if fits { return }
            let holds = set.kinds.map(\.rawValue).joined(separator: " . ")
            let wanted = fields.map(\.kindName).joined(separator: " . ")
            add(.set, name, rule, "the set \(name) holds \(holds), not \(wanted)", nil)
        }

        private mutating func add(
            _ kind: RuleReference.Kind, _ name: String, _ rule: Rule, _ what: String, _ remedy: String?
        ) {
            problems.append(
                Problem(
                    place: rule.place, reference: RuleReference(kind, name, in: rule.place), what: what,
                    remedy: remedy))
        }

        /// Groups that come back to themselves: those that are left when all that jump nowhere further are taken away,
        /// again and again.
        mutating func checkRecursion(_ ruleSet: RuleSet) {
            var targets: [Set<Int>] = []
            var sources = [[Int]](repeating: [], count: ruleSet.groups.count)
            for (index, group) in ruleSet.groups.enumerated() {
                var reached: Set<Int> = []
                for rule in group.rules {
                    if case .jump(let name) = rule.action, let target = groups[name] {
                        reached.insert(target)
                    }
                }
                for target in reached { sources[target].append(index) }
                targets.append(reached)
            }
            var open = targets.map(\.count)
            var free = open.indices.filter { open[$0] == 0 }
            while let group = free.popLast() {
                for source in sources[group] {
                    open[source] -= 1
                    if open[source] == 0 { free.append(source) }
                }
            }
            for (index, group) in ruleSet.groups.enumerated() where open[index] > 0 {
                for rule in group.rules {
                    guard case .jump(let name) = rule.action, let target = groups[name], open[target] > 0
                    else { continue }
                    add(
                        .group, name, rule,
                        "this jump comes back to where it is: \(group.name) and \(name) never end",
                        "groups may jump to others, but not in a circle")
                }
            }
        }
    }
}

extension SetField {
    /// Whether a set of a kind can hold it.
    func fits(_ kind: SetDeclaration.Kind) -> Bool {
        switch (self, kind) {
        case (.address, .address), (.address, .prefix), (.mac, .mac), (.interface, .interface): true
        case (.number(.sourcePort), .port), (.number(.destinationPort), .port): true
        case (.number(.protocol), .protocol), (.number(.vlan), .vlan), (.number(.innerVLAN), .vlan): true
        default: false
        }
    }

    /// The kind that it wants, for messages.
    var kindName: String {
        switch self {
        case .address: "address or prefix"
        case .mac: "mac"
        case .interface: "interface"
        case .number(.sourcePort), .number(.destinationPort): "port"
        case .number(.protocol): "protocol"
        case .number(.vlan), .number(.innerVLAN): "vlan"
        case .number(let field): "\(field.word), which no set holds"
        }
    }
}
