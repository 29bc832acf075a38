// SPDX-License-Identifier: Apache-2.0
import Bytecode
import XDP

/// Nanoseconds a packet spends in chains.
struct PacketCosts {
    let catalog: Catalog
    let settings: Settings

    /// One length of a chain, composed in different ways.
    private struct Row {
        var count: Int
        var inline: Meter.Ticket
        var call: Meter.Ticket?
        var parts: [Meter.Ticket]
    }

    private static let counts = [1, 2, 5, 10, 20, 32]

    func lengths(_ report: Report) throws {
        let meter = try Meter(packet: Catalog.packet)
        let passOnly = try rows(of: [Catalog.passOnly], in: meter)
        let real = try rows(of: catalog.passing, in: meter)
        try meter.run(rounds: settings.rounds, repeats: settings.repeats)

        report.section(
            "Time a packet spends in a chain (ns, the test run's \(Int(meter.harness)) subtracted)")
        report.note("\(catalog.passing.count) ordinary programs in turn, all passing; counters off")
        show(real, meter, report)
        report.section("The same with members that only return XDP_PASS: glue")
        show(passOnly, meter, report)

        if let ten = real.first(where: { $0.count == 10 }) {
            let sum = ten.parts.map(meter.net).reduce(0, +)
            report.promise("chain of 10 / sum of its parts", meter.net(ten.inline) / sum, atMost: 1.05, "x")
        } else {
            report.unmeasured("chain of 10 / sum of its parts", because: "too few programs")
        }
    }

    private func rows(of pool: [Member], in meter: Meter) throws -> [Row] {
        guard !pool.isEmpty else { return [] }
        let parts = try pool.map { meter.add(try catalog.load([$0]).take()) }
        return try Self.counts.map { count in
            let members = catalog.members(count, of: pool)
            return Row(
                count: count, inline: meter.add(try catalog.load(members).take()),
                call: meter.add(try catalog.load(members, callsAll: true).take()),
                parts: (0..<count).map { parts[$0 % parts.count] })
        }
    }

    private func show(_ rows: [Row], _ meter: Meter, _ report: Report) {
        var lines = [["members", "sum of parts", "inline", "x", "call", "x"]]
        for row in rows {
            let sum = row.parts.map(meter.net).reduce(0, +)
            let inline = meter.net(row.inline)
            var line = [
                "\(row.count)", Text.decimal(sum, 0), Text.decimal(inline, 0), ratio(inline, sum),
            ]
            if let call = row.call {
                line += [Text.decimal(meter.net(call), 0), ratio(meter.net(call), sum)]
            }
            lines.append(line)
        }
        report.table(lines)
    }

    /// A ratio to less than a few nanoseconds says nothing.
    private func ratio(_ value: Double, _ base: Double) -> String {
        base < 5 ? "-" : Text.decimal(value / base, 2)
    }

    // MARK: Counters

    func counters(_ report: Report) throws {
        let meter = try Meter(packet: Catalog.packet)
        let ways: [(String, [Member])] = [
            ("return XDP_PASS", [Catalog.passOnly]), ("ordinary programs", catalog.passing),
        ]
        let counts = [10, 32]
        var tickets: [[[Meter.Ticket]]] = []
        for (_, pool) in ways {
            tickets.append(
                try counts.map { count in
                    try CounterMode.allCases.map { mode in
                        meter.add(try catalog.load(catalog.members(count, of: pool), counters: mode).take())
                    }
                })
        }
        try meter.run(rounds: settings.rounds, repeats: settings.repeats)
        report.section("Verdict counters (ns a packet; then what one member's counter costs)")
        var lines = [["members", "off", "packets", "bytes", "packets, each", "bytes, each"]]
        for (way, (name, _)) in ways.enumerated() {
            for (place, count) in counts.enumerated() {
                let nanoseconds = tickets[way][place].map(meter.net)
                lines.append(
                    ["\(count) x \(name)"] + nanoseconds.map { Text.decimal($0, 0) }
                        + nanoseconds.dropFirst().map {
                            Text.decimal(($0 - nanoseconds[0]) / Double(count), 2)
                        })
            }
        }
        report.table(lines)
    }
}
