// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// What a rule set says of packets, one after the other: the meaning of the language as plain code.
///
/// It is written to be seen to be right, not to be fast; the compiled program is held against it. What a rule
/// set remembers from packet to packet, the buckets of its limits, is kept here.
public struct Evaluator: Sendable {
    public let rules: RuleSet
    private let sets: [String: SetMembers]
    private let interfaces: [String: UInt32]
    private var buckets: [RuleID: TokenBuckets] = [:]

    /// - Parameters:
    ///   - sets: elements beyond those in the declarations.
    ///   - interfaces: the indexes of interfaces by their names; those that are not here do not exist.
    ///   - start: when the elements of sets were added, in nanoseconds.
    public init(
        _ rules: RuleSet, sets: [String: [SetElement]] = [:], interfaces: [String: UInt32] = [:],
        start: UInt64 = 0
    ) {
        self.rules = rules
        self.interfaces = interfaces
        var members: [String: SetMembers] = [:]
        for declaration in rules.sets {
            members[declaration.name] = SetMembers(
                declaration, adding: sets[declaration.name] ?? [], at: start)
        }
        self.sets = members
    }

    /// What happens to a packet that comes in at a time, which must not run backwards.
    public mutating func decide(_ packet: PacketFields, at nanoseconds: UInt64 = 0) -> Decision {
        var walk = Walk(packet: packet, now: nanoseconds)
        if let decision = meet(rules.rules, of: nil, in: &walk) { return decision }
        walk.matched.append(.policy)
        return Decision(verdict: rules.policy, rule: .policy, matched: walk.matched)
    }

    /// A packet on its way through the rules.
    private struct Walk {
        let packet: PacketFields
        let now: UInt64
        var matched: [RuleID] = []
        /// The groups that it is in. Rules that lead back into one of them are refused where rules are checked;
        /// here such a jump leads nowhere, so that every walk ends.
        var groups: Set<String> = []
    }

    // MARK: - Rules

    /// Leads a packet along a list of rules; nil if none decided.
    private mutating func meet(_ list: [Rule], of group: String?, in walk: inout Walk) -> Decision? {
        for (index, rule) in list.enumerated() where matches(rule.match, walk.packet, at: walk.now) {
            let id = RuleID.rule(group: group, index: index)
            walk.matched.append(id)
            if let decision = act(rule.action, id, in: &walk) { return decision }
        }
        return nil
    }

    /// What a rule does to a packet that it matches; nil if the packet goes on to the next rule.
    private mutating func act(_ action: Action, _ id: RuleID, in walk: inout Walk) -> Decision? {
        switch action {
        case .decide(let verdict):
            return Decision(verdict: verdict, rule: id, matched: walk.matched)
        case .redirect(let interface):
            return Decision(verdict: .redirect, rule: id, redirect: interface, matched: walk.matched)
        case .jump(let name):
            guard let group = rules.group(name), walk.groups.insert(name).inserted else { return nil }
            defer { walk.groups.remove(name) }
            return meet(group.rules, of: name, in: &walk)
        case .limit(let limit):
            let isWithin = buckets[id, default: TokenBuckets()].admit(walk.packet, to: limit, at: walk.now)
            return isWithin ? nil : Decision(verdict: limit.excess, rule: id, matched: walk.matched)
        case .log, .count:
            return nil
        }
    }

    // MARK: - Matches

    private func matches(_ match: Match, _ packet: PacketFields, at now: UInt64) -> Bool {
        switch match {
        case .always: true
        case .all(let parts): parts.allSatisfy { matches($0, packet, at: now) }
        case .any(let parts): parts.contains { matches($0, packet, at: now) }
        case .not(let part): !matches(part, packet, at: now)
        case .test(let test): holds(test, packet, at: now)
        }
    }

    /// The answer to one question.
    func holds(_ test: Test, _ packet: PacketFields, at now: UInt64) -> Bool {
        switch test {
        case .number(let field, let ranges):
            guard let number = packet.numbers[field] else { return false }
            return ranges.contains { $0.contains(number) }
        case .address(let field, let networks):
            guard let address = packet[field] else { return false }
            return networks.contains { $0.contains(address) }
        case .mac(let field, let addresses):
            guard let address = packet[field] else { return false }
            return addresses.contains(address)
        case .tcpFlags(let value, let mask):
            guard let flags = packet.tcpFlags else { return false }
            return flags & mask == value
        case .fragment(.any):
            return packet.isFirstFragment || packet.isLaterFragment
        case .fragment(.first):
            return packet.isFirstFragment
        case .fragment(.later):
            return packet.isLaterFragment
        case .interface(let names):
            return names.contains { interfaces[$0] == packet.interface }
        case .bytes(let test):
            return test.holds(packet)
        case .member(let name, let fields):
            guard let set = sets[name] else { return false }
            return components(of: packet, fields).contains { set.contains($0, at: now) }
        }
    }

    /// What to look for in a set: nothing where the packet lacks a field; several tuples only where an interface
    /// has several names.
    private func components(of packet: PacketFields, _ fields: [SetField]) -> [[SetComponent]] {
        fields.reduce([[]]) { tuples, field in
            let values: [SetComponent] =
                switch field {
                case .address(let field): packet[field].map { [.address($0)] } ?? []
                case .mac(let field): packet[field].map { [.mac($0)] } ?? []
                case .number(let field):
                    packet.numbers[field].flatMap { UInt16(exactly: $0) }.map { [.numbers($0...$0)] } ?? []
                case .interface:
                    interfaces.filter { $0.value == packet.interface }.map { .interface($0.key) }
                }
            return tuples.flatMap { tuple in values.map { tuple + [$0] } }
        }
    }
}

extension PacketFields {
    subscript(field: AddressField) -> IPAddress? {
        switch field {
        case .source: source
        case .destination: destination
        }
    }

    subscript(field: MACField) -> MACAddress? {
        switch field {
        case .source: sourceMAC
        case .destination: destinationMAC
        }
    }
}

extension ByteTest {
    /// The answer for a packet.
    func holds(_ packet: PacketFields) -> Bool {
        let start: Int? =
            switch base {
            case .frame: 0
            case .network: packet.networkOffset
            case .transport: packet.transportOffset
            }
        guard let start = start.map({ $0 + Int(offset) }), (1...8).contains(count),
            start + Int(count) <= packet.bytes.count
        else { return false }
        let number = packet.bytes[start..<(start + Int(count))].reduce(0) { $0 << 8 | UInt64($1) } & mask
        return switch comparison {
        case .equal: number == value
        case .notEqual: number != value
        case .less: number < value
        case .lessOrEqual: number <= value
        case .greater: number > value
        case .greaterOrEqual: number >= value
        }
    }
}
