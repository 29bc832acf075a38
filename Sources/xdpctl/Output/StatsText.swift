// SPDX-License-Identifier: Apache-2.0
import Observe

/// Writes statistics for people, on 80 columns.
struct StatsText {
    private let output: StatsOutput
    /// Whether counters that are zero, and those of queues, are shown too.
    private let showsAll: Bool

    init(_ output: StatsOutput, showsAll: Bool) {
        self.output = output
        self.showsAll = showsAll
    }

    var lines: [String] {
        Array(output.interfaces.map(lines(of:)).joined(separator: [""]))
    }

    private func lines(of interface: InterfaceOutput) -> [String] {
        [title(of: interface)] + members(interface) + counters(interface)
            + ReconciliationText(interface.reconciliation).lines
    }

    private func title(of interface: InterfaceOutput) -> String {
        var parts = [interface.mode.map { "\($0) mode" } ?? "no XDP program"]
        if let driver = interface.driver { parts.append("driver \(Terminal.clean(driver))") }
        if let change = interface.change { parts.append("change \(change)") }
        if let seconds = interface.seconds {
            parts.append("rates of \(Number.decimal(seconds, 1)) s")
        }
        let name = Terminal.clean(interface.name)
        return Terminal.bold(name) + "  "
            + Terminal.wrapped(parts.joined(separator: ", "), indent: 2, column: name.count + 2)
    }

    // MARK: The chain

    private func members(_ interface: InterfaceOutput) -> [String] {
        guard let members = interface.members else { return [] }
        let filters = members.filter(\.isFilter).map {
            Terminal.dim(
                Terminal.paragraph(
                    "rules of \($0.name): `xdpctl filter stats \(Terminal.clean(interface.name))`", indent: 4,
                    column: 2))
        }
        let table = Self.fitting(shortening: 0) { memberTable(members, interface, $0) }
        return table.lines(indent: 2, shortening: 0) + filters
    }

    /// A table with its numbers as exact as there is room for on 80 columns.
    private static func fitting(shortening column: Int, _ table: (Number.Style) -> TextTable) -> TextTable {
        for style in Number.Style.allCases {
            let found = table(style)
            if found.excess(indent: 2, shortening: column) == 0 { return found }
        }
        return table(.rounded)
    }

    private func memberTable(
        _ members: [InterfaceOutput.MemberOutput], _ interface: InterfaceOutput, _ style: Number.Style
    ) -> TextTable {
        let hasRates = interface.seconds != nil
        var table = TextTable([.left, .left, .right, .right, .right, .right])
        table.add(
            "MEMBER", "VERDICT", "PACKETS", "BYTES", hasRates ? "PACKETS/S" : "", hasRates ? "BYTES/S" : "")
        for member in members {
            var label = Terminal.clean(member.name)
            for verdict in member.verdicts where verdict.packets > 0 || verdict.verdict == "pass" || showsAll
            {
                table.add(
                    label, verdict.verdict, Number.text(verdict.packets, style),
                    verdict.bytes.map { Number.text($0, style) } ?? "",
                    Self.rate(verdict.packetsPerSecond, style), Self.rate(verdict.bytesPerSecond, style))
                label = ""
            }
            if member.unknownVerdicts > 0 {
                table.add(label, "(no verdict)", Number.text(member.unknownVerdicts, style))
                label = ""
            }
            if member.missedPackets > 0 {
                table.add(label, "(missed)", Number.text(member.missedPackets, style))
            }
        }
        return table
    }

    // MARK: Beside it

    private func counters(_ interface: InterfaceOutput) -> [String] {
        var explanations: [Int: String] = [:]
        let table = Self.fitting(shortening: 1) { counterTable(interface, $0, &explanations) }
        // Beside long names there is no room for what they mean.
        return table.lines(indent: 2, shortening: 1).enumerated().flatMap { place, line in
            [line] + (explanations[place].map { [Terminal.dim(Terminal.paragraph($0, indent: 12))] } ?? [])
        }
    }

    /// - Parameter explanations: of counters, by the lines of the table behind which they stand.
    private func counterTable(
        _ interface: InterfaceOutput, _ style: Number.Style, _ explanations: inout [Int: String]
    ) -> TextTable {
        let hasRates = interface.seconds != nil
        var table = TextTable([.left, .left, .right, .right, .left])
        table.add("", "COUNTER", "VALUE", hasRates ? "PER SECOND" : "", "")
        var label = "stack"
        let shown = ["rx_packets", "rx_bytes", "rx_dropped", "tx_packets", "tx_bytes", "tx_dropped"]
        for counter in interface.stack
        where shown.contains(counter.name) && !counter.name.hasSuffix("bytes") || counter.value > 0
            || showsAll
        {
            table.add(
                label, counter.name, Number.text(counter.value, style), Self.rate(counter.perSecond, style))
            label = ""
        }
        label = "driver"
        for counter in driverCounters(interface) {
            table.add(
                label, Terminal.clean(counter.name), Number.text(counter.value, style),
                Self.rate(counter.perSecond, style))
            if let role = counter.role.flatMap(DriverCounterMeaning.Role.init), role != .bytes {
                explanations[table.count - 1] = role.explanation
            }
            label = ""
        }
        for queue in showsAll ? interface.queues : [] {
            label = "\(queue.direction == "receive" ? "rx" : "tx") \(queue.number)"
            for counter in queue.counters {
                table.add(
                    label, counter.name, Number.text(counter.value, style),
                    Self.rate(counter.perSecond, style))
                label = ""
            }
        }
        return table
    }

    /// Those about XDP, the queues' added up; all of them if asked for.
    private func driverCounters(_ interface: InterfaceOutput) -> [InterfaceOutput.CounterOutput] {
        if showsAll { return interface.driverCounters }
        func meant(_ name: String) -> DriverCounterMeaning? {
            DriverProfile.meaning(of: name, driver: interface.driver ?? "")
        }
        let totals = Set(
            interface.driverCounters.compactMap { counter in
                meant(counter.name).flatMap { $0.isPerQueue ? nil : $0.role }
            })
        var order: [String] = []
        var sums: [String: InterfaceOutput.CounterOutput] = [:]
        for counter in interface.driverCounters {
            let meaning = meant(counter.name)
            guard meaning != nil || counter.name.lowercased().contains("xdp") else { continue }
            // A driver that adds its queues up itself needs not be added up; but packets are lost at many places.
            if let meaning, meaning.isPerQueue, totals.contains(meaning.role), meaning.role != .neverSeen {
                continue
            }
            let name = meaning?.name(of: counter.name) ?? counter.name
            if let sum = sums[name] {
                sums[name] = .init(
                    name: name, value: sum.value &+ counter.value,
                    perSecond: sum.perSecond.flatMap { one in counter.perSecond.map { one + $0 } },
                    role: sum.role)
            } else {
                order.append(name)
                sums[name] = .init(
                    name: name, value: counter.value, perSecond: counter.perSecond, role: counter.role)
            }
        }
        return order.compactMap { sums[$0] }.filter { $0.value > 0 }
    }

    private static func rate(_ value: Double?, _ style: Number.Style) -> String {
        // A counter that ran backwards has grown by any number in no time.
        value.map { Number.text(UInt64(exactly: $0.rounded()) ?? .max, style) } ?? ""
    }
}

/// Says whether it adds up.
struct ReconciliationText {
    private let found: ReconciliationOutput

    init(_ found: ReconciliationOutput) {
        self.found = found
    }

    var lines: [String] {
        var lines: [String] = []
        if let entered = found.entered, let left = found.left {
            let ways = [
                (left.pass, "passed"), (left.drop, "dropped"), (left.aborted, "aborted"),
                (left.tx, "sent back"),
                (left.redirect, "redirected"),
            ].filter { $0.0 > 0 }.map { "\(Number.grouped($0.0)) \($0.1)" }
            let sum = ways.isEmpty ? "" : " = \(ways.joined(separator: " + "))"
            let packets = "\(Number.grouped(entered)) packet\(entered == 1 ? "" : "s")\(sum)"
            switch found.addsUp {
            case true?: lines.append("adds up: \(packets)")
            case false?: lines.append("does not add up: \(packets)")
            case nil: lines.append(packets)
            }
        }
        for check in found.checks where check.result != "equal" {
            let more = check.value > check.expected
            let amount = Number.grouped(more ? check.value - check.expected : check.expected - check.value)
            let reasons = check.explanations.isEmpty ? "" : ": " + check.explanations.joined(separator: "; ")
            let flow = check.result == "in-flight" ? " (packets came while it was read)" : ""
            lines.append(
                "\(check.counters) is \(amount) \(more ? "more" : "less") than \(check.packets)\(flow)\(reasons)"
            )
        }
        for counter in found.neverSeen {
            lines.append("\(counter.name) \(Number.grouped(counter.value)): packets that no program saw")
        }
        lines += found.limits
        return lines.enumerated().map {
            Terminal.paragraph($1, indent: $0 == 0 ? 4 : 6, column: $0 == 0 ? 2 : 4)
        }
    }
}
