// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import TestSupport
import XDP

/// What the upper rungs of the ladder cost: members with programs of their own, and chains of several programs.
struct LadderCosts {
    let catalog: Catalog
    let settings: Settings

    /// The ways to put the same members together.
    enum Rung: String, CaseIterable {
        case inline, call, isolated, segment

        /// Loads a chain whose members are all put in this way.
        func load(_ members: [Member], from catalog: Catalog) throws -> ChainLoader.LoadedChain {
            switch self {
            case .inline: return try catalog.load(members)
            case .call: return try catalog.load(members, callsAll: true)
            case .isolated, .segment:
                var chain = try catalog.chain(members)
                return try ChainLoader(maps: catalog.maps).load(
                    &chain, counting: .none,
                    isolating: self == .isolated ? Set(chain.members.map(\.name)) : [],
                    cutAt: self == .segment ? Set(1..<max(members.count, 2)) : [])
            }
        }
    }

    private static let counts = [1, 2, 5, 10, 20, 32]

    /// Nanoseconds a packet spends in chains of members that only pass, and in ordinary ones.
    func show(_ report: Report) throws {
        let meter = try Meter(packet: Catalog.packet)
        let pools = [("return XDP_PASS", [Catalog.passOnly]), ("ordinary programs", catalog.passing)]
        var tickets: [[[Meter.Ticket]]] = []
        for (_, pool) in pools where !pool.isEmpty {
            tickets.append(
                try Self.counts.map { count in
                    try Rung.allCases.map { rung in
                        meter.add(try rung.load(catalog.members(count, of: pool), from: catalog).take())
                    }
                })
        }
        try meter.run(rounds: settings.rounds, repeats: settings.repeats)
        for (table, (name, _)) in zip(tickets, pools) {
            report.section("Rungs of the ladder, \(name): all members alike (ns a packet; / inline)")
            var lines = [
                ["members"] + Rung.allCases.flatMap { $0 == .inline ? ["inline"] : [$0.rawValue, "x"] }
            ]
            for (row, count) in zip(table, Self.counts) {
                let times = row.map(meter.net)
                lines.append(
                    ["\(count)", Text.decimal(times[0], 0)]
                        + times.dropFirst().flatMap { time in
                            [Text.decimal(time, 0), times[0] < 5 ? "-" : Text.decimal(time / times[0], 2)]
                        })
            }
            report.table(lines)
            guard let last = table.last?.map(meter.net), let members = Self.counts.last else { continue }
            let each = zip(Rung.allCases, last).dropFirst().map { rung, time in
                "\(rung) \(Text.decimal((time - last[0]) / Double(members), 1))"
            }
            report.note("more than inline, ns a member: \(each.joined(separator: ", "))")
        }
        try showExchange(report)
    }

    /// The time in which a member's program is exchanged in its array: the one call that packets notice.
    private func showExchange(_ report: Report) throws {
        // A chain that calls through the array: the kernel rewrites its jump with each exchange.
        var chain = try catalog.chain([Catalog.passOnly, Catalog.passOnly])
        let caller = try ChainLoader(maps: catalog.maps).load(
            &chain, counting: .none, isolating: [chain.members[0].name], cutAt: []
        ).take()
        guard let separate = chain.members[0].separate else {
            report.unmeasured("exchange in an array", because: "no member was isolated")
            return
        }
        let array = try BPFMap(id: separate.arrayID)
        let one = try catalog.load([Catalog.passOnly]).take()
        let other = try catalog.load([Catalog.passOnly, Catalog.passOnly]).take()
        var times: [Double] = []
        let clock = ContinuousClock()
        for round in 0..<200 {
            let start = clock.now
            if round % 2 == 0 {
                try array.setProgram(one, at: 0)
            } else {
                try array.setProgram(other, at: 0)
            }
            let parts = (clock.now - start).components
            times.append(Double(parts.attoseconds) / 1e12 + Double(parts.seconds) * 1e6)
        }
        _ = consume caller
        let samples = Samples(times)
        report.section("Exchanging an isolated member's program in its array (µs of 200)")
        report.table([
            ["median", "p99", "most"],
            [samples.median, samples.quantile(0.99), samples.maximum].map { Text.decimal($0, 1) },
        ])
        report.promise("exchange in an array, median", samples.median, atMost: 1000, "us")
    }
}
