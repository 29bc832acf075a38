// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// Nanoseconds that a packet spends in a filter.
struct FilterCosts {
    let bench: FilterBench

    /// One program for each kind of packet.
    private struct Row {
        var name: String
        var tickets: [Meter.Ticket]
    }

    func show(_ report: Report) throws {
        let addresses = FilterRules.addresses(1000)
        let meters = try FilterBench.Sent.allCases.map { try Meter(packet: $0.packet(addresses[500])) }
        func row(_ name: String, _ program: () throws -> Program) throws -> Row {
            Row(name: name, tickets: try meters.map { $0.add(try program()) })
        }
        let pass = try row("empty program, as a chain") { try emptyProgram() }
        let empty = try row("no rules") { try bench.filter(FilterRules.empty) }
        let one = try row("one rule: drop udp dport 53") {
            try bench.filter("rules {\n  drop udp dport 53\n  default pass\n}\n")
        }
        let set = try row("1,000 addresses, a set") { try bench.filter(FilterRules.set(addresses)) }
        let lines = try row("1,000 addresses, a rule each") {
            try bench.filter(FilterRules.lines(addresses))
        }
        let ten = try row("10 mixed rules") { try bench.filter(FilterRules.mixed(10)) }
        let hundred = try row("100 mixed rules") { try bench.filter(FilterRules.mixed(100)) }
        let thousand = try row("1,000 mixed rules") { try bench.filter(FilterRules.mixed(1000)) }
        var others: [Row] = []
        if (try? ChildProcess.run(["xdp-filter", "help"])) != nil {
            others.append(try xdpFilter("xdp-filter, all features, empty", "all", [], meters))
            others.append(try xdpFilter("xdp-filter, 1,000 addresses, IPv4 alone", "ipv4", addresses, meters))
            others.append(try xdpFilter("xdp-filter, 1,000 addresses", "all", addresses, meters))
        }
        for meter in meters { try meter.run(rounds: bench.settings.rounds, repeats: bench.settings.repeats) }

        report.section(
            "Time a packet spends in a filter (ns, the test run's \(Int(meters[0].harness)) subtracted)")
        report.note("rule counters on; none matches, except in the last column, whose source is in the lists")
        var table = [[""] + FilterBench.Sent.allCases.map(\.rawValue)]
        func costs(_ row: Row) -> [Double] { zip(meters, row.tickets).map { $0.net($1) } }
        for row in [pass, empty, one, set, lines, ten, hundred, thousand] + others {
            table.append([row.name] + costs(row).map { Text.decimal($0, 1) })
        }
        report.table(table)
        let above = zip(costs(empty), costs(pass)).map { $0 - $1 }.max() ?? 0
        report.promise("no rules, above an empty program", above, atMost: 2, "ns")
        if let theirs = others.last.map(costs) {
            let ratio = [set, lines].flatMap { zip(costs($0), theirs).map { $0 / $1 } }.max() ?? 0
            let alone = [set, lines].flatMap { zip(costs($0), costs(others[1])).map { $0 / $1 } }.max() ?? 0
            report.note(
                "beside xdp-filter as it is loaded by itself; with `-f ipv4`, which looks at nothing else, it is "
                    + "\(Text.decimal(alone, 2)) x")
            report.promise("1,000 addresses / xdp-filter", ratio, atMost: 0.5, "x")
        } else {
            report.unmeasured("1,000 addresses / xdp-filter", because: "it is not installed")
        }
        let growth = zip(costs(thousand), costs(ten)).prefix(2).map { $0 / $1 }.max() ?? 0
        report.promise("1,000 mixed rules / 10 of them", growth, atMost: 3, "x")
    }

    private func emptyProgram() throws -> Program {
        let image = ProgramImage.passing("empty")
        return try Program.load(image).take()
    }

    /// xdp-filter with these addresses in its list.
    private func xdpFilter(
        _ name: String, _ features: String, _ addresses: [String], _ meters: [Meter]
    ) throws -> Row {
        try XDPFilter.load(on: bench.near, features: features)
        for address in addresses { try XDPFilter.add(address) }
        let tickets = try meters.map { $0.add(try bench.running()) }
        try XDPFilter.unload(from: bench.near)
        return Row(name: name, tickets: tickets)
    }
}

/// The command of xdp-tools.
enum XDPFilter {
    static func load(on interface: String, features: String) throws {
        try ChildProcess.succeed(
            ["xdp-filter", "load", "-m", "native", "-p", "allow", "-f", features, interface])
    }

    @discardableResult
    static func add(_ address: String) throws -> ChildProcess {
        try ChildProcess.succeed(["xdp-filter", "ip", "-m", "src", address])
    }

    static func unload(from interface: String) throws {
        try ChildProcess.succeed(["xdp-filter", "unload", interface])
    }
}
