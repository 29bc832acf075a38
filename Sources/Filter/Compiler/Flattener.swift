// SPDX-License-Identifier: Apache-2.0
import XDP

/// Follows jumps, so that one list of rules is left.
struct Flattener {
    private let input: CompilerInput
    private let numbers: [RuleID: UInt32]
    private(set) var rules: [FlatRule] = []
    /// The interfaces that rules redirect to, by their places in the devmap.
    private(set) var devices: [String] = []
    /// Rules after all jumps.
    static let limit = 262_144

    init(_ input: CompilerInput) throws(XDPError) {
        self.input = input
        numbers = input.ruleNumbers
        let isDecided = try append(input.rules.rules, of: nil, where: [], path: [])
        if !isDecided {
            rules.append(
                flat(.policy, Rule(.decide(input.rules.policy)), .decide(input.rules.policy), .always))
        }
    }

    /// Whether every packet that gets there is decided.
    private mutating func append(
        _ list: [Rule], of group: String?, where guards: [Match], path: [String]
    ) throws(XDPError) -> Bool {
        for (index, rule) in list.enumerated() {
            let id = RuleID.rule(group: group, index: index)
            guard rules.count < Self.limit else { throw Self.tooMany(id, rule) }
            let match = Match.joined(guards + [rule.match])
            switch rule.action {
            case .jump(let name):
                if input.counters[id] != nil { rules.append(flat(id, rule, .count, match)) }
                let rules = try target(name, of: id, rule, path: path)
                let inner = match == .always ? [] : [match]
                if try append(rules, of: name, where: inner, path: path + [name]), inner.isEmpty {
                    return true
                }
            case .decide(let verdict):
                rules.append(flat(id, rule, .decide(verdict), match))
                if rule.match == .always { return true }
            case .redirect(let interface):
                rules.append(flat(id, rule, .redirect(place(of: interface)), match))
                if rule.match == .always { return true }
            case .limit(let limit): rules.append(flat(id, rule, .limit(limit), match))
            case .log(let settings): rules.append(flat(id, rule, .log(settings), match))
            case .count: if input.counters[id] != nil { rules.append(flat(id, rule, .count, match)) }
            }
        }
        return false
    }

    private func target(
        _ name: String, of id: RuleID, _ rule: Rule, path: [String]
    ) throws(XDPError) -> [Rule] {
        let what = "\(id.name(at: rule.place)) cannot be compiled"
        guard let group = input.rules.group(name) else {
            throw XDPError(.invalid, what, because: "there is no group \(name)")
        }
        guard !path.contains(name) else {
            throw XDPError(
                .invalid, what, because: "it jumps back into group \(name)",
                remedy: "Groups are left at their end; a jump leads forward only")
        }
        return group.rules
    }

    private mutating func place(of interface: String) -> Int {
        if let known = devices.firstIndex(of: interface) { return known }
        devices.append(interface)
        return devices.count - 1
    }

    private func flat(_ id: RuleID, _ rule: Rule, _ action: FlatRule.Action, _ match: Match) -> FlatRule {
        FlatRule(
            id: id, match: match, action: action,
            counter: input.counters[id].map { UInt32(truncatingIfNeeded: $0.number + 1) } ?? 0,
            number: numbers[id] ?? 0, place: rule.place)
    }

    private static func tooMany(_ id: RuleID, _ rule: Rule) -> XDPError {
        XDPError(
            .refused, "\(id.name(at: rule.place)) cannot be compiled",
            because: "with it there are more than \(limit) rules, those of groups counted once for each jump",
            remedy: "Put addresses or ports that are treated alike into a set")
    }
}

extension CompilerInput {
    /// The numbers of rules from 1, by which reports and buckets know them: that of the counter where a rule has one
    /// that no rule before it counts in, else numbers that no counter has.
    public var ruleNumbers: [RuleID: UInt32] {
        var ids = rules.rules.indices.map { RuleID.rule(group: nil, index: $0) }
        for group in rules.groups { ids += group.rules.indices.map { .rule(group: group.name, index: $0) } }
        ids.append(.policy)
        var next = (counters.values.map(\.number).max() ?? -1) + 2
        var used: Set<Int> = []
        var numbers: [RuleID: UInt32] = [:]
        numbers.reserveCapacity(ids.count)
        for id in ids {
            if let place = counters[id], used.insert(place.number + 1).inserted {
                numbers[id] = UInt32(truncatingIfNeeded: place.number + 1)
            } else {
                numbers[id] = UInt32(truncatingIfNeeded: next)
                next += 1
            }
        }
        return numbers
    }
}
