// SPDX-License-Identifier: Apache-2.0
import Netlink

/// A report for people: what the kernel wrote, and the rule that it means.
public struct RuleReport: Sendable {
    public var report: LogReport
    /// Nil where the rule is gone.
    public var rule: Rule?
    public var id: RuleID?
    public var time: WallClock
    public var packet: PacketSummary

    init(_ report: LogReport, of known: (id: RuleID, rule: Rule)?, at time: WallClock) {
        self.report = report
        self.time = time
        rule = known?.rule
        id = known?.id
        packet = PacketSummary(
            PacketFields(
                packet: report.bytes, length: Int(report.length), queue: report.queue,
                interface: report.interface))
    }

    /// What the rule's reports begin with; empty where it says nothing.
    public var prefix: String {
        guard case .log(let settings)? = rule?.action else { return "" }
        return settings.prefix
    }
}

/// The rules of a filter by the numbers that reports have.
struct ReportedRules: Equatable {
    private let text: String
    private var rules: [UInt32: Entry] = [:]

    private struct Entry: Equatable {
        let id: RuleID
        let rule: Rule
    }

    init(_ filter: LiveFilter) {
        text = filter.record.text
        var input = CompilerInput(filter.rules)
        input.counters = filter.counters.mapValues(\.place)
        for (id, number) in input.ruleNumbers {
            if let rule = filter.rules[id] { rules[number] = Entry(id: id, rule: rule) }
        }
    }

    subscript(number: UInt32) -> (id: RuleID, rule: Rule)? {
        rules[number].map { ($0.id, $0.rule) }
    }
}
