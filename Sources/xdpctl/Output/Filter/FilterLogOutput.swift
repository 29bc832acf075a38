// SPDX-License-Identifier: Apache-2.0
import Filter

/// A line of `xdpctl filter log`. Documentation/json.md describes the fields.
struct FilterLogOutput: Encodable {
    struct RulePart: Encodable {
        let group: String?
        /// From 1, within the main rules or the group.
        let number: Int
        let text: String
    }

    struct PacketPart: Encodable {
        let kind: String
        let source: String?
        let destination: String?
        let details: [String]
        let length: UInt32
    }

    var format = 1
    /// "watching", "report", "lost", "changed", "gone".
    let event: String
    var interface: String?
    var time: String?
    var rule: RulePart?
    var prefix: String?
    var packet: PacketPart?
    var queue: UInt32?
    /// The packet's first bytes, in hexadecimal digits.
    var data: String?
    var count: UInt64?
    var reason: String?
    /// For people.
    let text: String

    private enum CodingKeys: CodingKey {
        case format, event, interface, time, rule, prefix, packet, queue, data, count, reason
    }

    static func watching(_ interface: String) -> Self {
        var output = Self("watching", "following the reports on \(interface)")
        output.interface = interface
        return output
    }

    private init(_ event: String, _ text: String) {
        self.event = event
        self.text = text
    }

    init(_ event: LogFollower.Event) {
        switch event {
        case .report(let report): self.init(report)
        case .lost(let count):
            self.init("lost", "\(count) \(count == 1 ? "report was" : "reports were") lost, for want of room")
            self.count = count
        case .changed: self.init("changed", "the rules were changed")
        case .gone(let reason):
            self.init("gone", reason)
            self.reason = reason
        }
    }

    private init(_ report: RuleReport) {
        let packet = report.packet
        let prefix = report.prefix
        var head = "a rule that is gone"
        if case .rule(let group, let index)? = report.id, let rule = report.rule {
            head = "rule \(index + 1)" + (group.map { " of \($0)" } ?? "")
            self.rule = RulePart(group: group, number: index + 1, text: rule.text)
        }
        event = "report"
        // A prefix is what the user wants to read there.
        text = "\(report.time.local) \(Terminal.clean(prefix.isEmpty ? head + ":" : prefix)) \(packet)"
        time = report.time.utc
        self.prefix = prefix.isEmpty ? nil : prefix
        self.packet = PacketPart(
            kind: packet.kind, source: packet.source.isEmpty ? nil : packet.source,
            destination: packet.destination.isEmpty ? nil : packet.destination, details: packet.details,
            length: packet.length)
        queue = report.report.queue
        data = report.report.bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
