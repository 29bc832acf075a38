// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import XDP

/// What `filter stats` prints. Documentation/json.md describes the fields.
struct FilterStatsOutput: Encodable {
    /// What was read at once.
    struct Look {
        let filter: LiveFilter
        let counted: [RuleIdentity: Counter]
        /// Elements by set.
        let sizes: [String: Int]
    }

    struct RuleOutput: Encodable {
        let group: String?
        let number: Int
        let rule: String
        let packets: UInt64?
        let bytes: UInt64?
        let packetsPerSecond: Double?
        let bytesPerSecond: Double?
    }

    struct CounterOutput: Encodable {
        let name: String
        let packets: UInt64
        let bytes: UInt64
        let packetsPerSecond: Double?
        let bytesPerSecond: Double?
    }

    struct SetOutput: Encodable {
        let name: String
        let count: Int
    }

    let format = 1
    let interface: String
    let filter: String
    /// Seconds since the look before; missing in the first one.
    let seconds: Double?
    let rules: [RuleOutput]
    /// Those with names.
    let counters: [CounterOutput]
    let policy: CounterOutput?
    let sets: [SetOutput]
    private let counted: [RuleIdentity: Counter]
    private let time: Double

    enum CodingKeys: String, CodingKey {
        case format, interface, filter, seconds, rules, counters, policy, sets
    }

    init(_ look: Look, on interface: String, since last: FilterStatsOutput?) {
        self.interface = interface
        filter = look.filter.name
        counted = look.counted
        let now = Self.now()
        time = now
        let passed = last.map { max(now - $0.time, 0.001) }
        seconds = passed.map { ($0 * 1000).rounded() / 1000 }
        func rate(_ identity: RuleIdentity?) -> (packets: Double, bytes: Double)? {
            guard let passed, let identity, let new = look.counted[identity],
                let old = last?.counted[identity], new.packets >= old.packets, new.bytes >= old.bytes
            else { return nil }
            return (
                (Double(new.packets - old.packets) / passed).rounded(),
                (Double(new.bytes - old.bytes) / passed).rounded()
            )
        }
        rules = look.filter.rows(look.counted).map { row in
            let rate = rate(look.filter.counters[row.id]?.identity)
            return RuleOutput(
                group: row.group, number: row.number, rule: row.rule.text, packets: row.counter?.packets,
                bytes: row.counter?.bytes, packetsPerSecond: rate?.packets, bytesPerSecond: rate?.bytes)
        }
        func output(_ name: String, _ identity: RuleIdentity) -> CounterOutput? {
            guard let counter = look.counted[identity] else { return nil }
            let rate = rate(identity)
            return CounterOutput(
                name: name, packets: counter.packets, bytes: counter.bytes,
                packetsPerSecond: rate?.packets, bytesPerSecond: rate?.bytes)
        }
        var named: [CounterOutput] = []
        for entry in look.filter.record.counters {
            if case .counter(let name) = entry.identity, let counter = output(name, entry.identity) {
                named.append(counter)
            }
        }
        counters = named.sorted { $0.name < $1.name }
        let verdict = look.filter.rules.policy
        policy = output(verdict == .aborted ? "abort" : verdict.description, .policy(verdict))
        sets = look.filter.rules.sets.map { SetOutput(name: $0.name, count: look.sizes[$0.name] ?? 0) }
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Text

    var lines: [String] {
        var table = TextTable([.right, .right, .right, .right, .left])
        table.add("", "PACKETS", "BYTES", seconds == nil ? "" : "PER SECOND", "RULE")
        var group: String?
        for rule in rules {
            if rule.group != group, let name = rule.group { table.add("", "", "", "", "group \(name)") }
            group = rule.group
            table.add(
                "\(rule.number)", Self.number(rule.packets), Self.number(rule.bytes),
                Self.rate(rule.packetsPerSecond), Terminal.shortened(Terminal.clean(rule.rule), to: 60))
        }
        if let policy {
            table.add(
                "", Self.number(policy.packets), Self.number(policy.bytes),
                Self.rate(policy.packetsPerSecond),
                "default \(policy.name)")
        }
        for counter in counters {
            table.add(
                "", Self.number(counter.packets), Self.number(counter.bytes),
                Self.rate(counter.packetsPerSecond), "counter \(Terminal.clean(counter.name))")
        }
        let sizes = sets.map { "set \($0.name): \(Number.grouped(UInt64($0.count))) elements" }
        return ["\(Terminal.bold(interface))  \(filter)"] + table.lines(indent: 2)
            + sizes.map { "  " + $0 }
    }

    private static func number(_ value: UInt64?) -> String { value.map(Number.grouped) ?? "" }
    private static func rate(_ value: Double?) -> String {
        value.map { Number.grouped(UInt64($0)) } ?? ""
    }
}
