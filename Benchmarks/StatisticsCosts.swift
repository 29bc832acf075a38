// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Observe
import TestSupport
import XDP

/// What looking at counters costs, with chains on a hundred interfaces.
struct StatisticsCosts {
    private static let pairs = 50
    private let settings: Settings

    init(settings: Settings) throws {
        self.settings = settings
        guard access(settings.command, X_OK) == 0 else {
            throw BenchmarkError("no \(settings.command): build it, or name it with --xdpctl")
        }
        try Sandbox.enterNetwork()
    }

    func show(_ report: Report) throws {
        var route = try RouteSocket()
        for pair in 0..<Self.pairs {
            let near = try route.createVeth("s\(pair)", peer: "t\(pair)")
            try route.setUp(near.index)
            try route.setUp(try route.link(named: "t\(pair)").index)
        }
        let path = try Fixture.path("pass")
        let names = (0..<Self.pairs).flatMap { ["s\($0)", "t\($0)"] }
        defer {
            for name in names { _ = (try? Interface(named: name)).map { try? ChainEditor($0).unload(nil) } }
        }
        for name in names {
            var second = LoadRequest(path: path)
            second.name = "second"
            _ = try ChainEditor(Interface(named: name)).load([LoadRequest(path: path), second])
        }

        var first: [Double] = []
        var next: [Double] = []
        for _ in 0..<settings.runs {
            var sampler = try InterfaceSampler()
            first.append(try milliseconds { _ = try sampler.sampleAll() })
            next.append(try milliseconds { _ = try sampler.sampleAll() })
        }
        let text = try (0..<settings.runs).map { _ in
            try ChildProcess.succeed([settings.command, "stats"]).wall
        }
        let json = try (0..<settings.runs).map { _ in
            try ChildProcess.succeed([settings.command, "stats", "--json"]).wall
        }
        let exposition = try (0..<settings.runs).map { _ in
            try ChildProcess.succeed([settings.command, "stats", "--prometheus"]).wall
        }

        report.section(
            "Statistics of \(names.count) interfaces with chains of 2 (ms: median, fastest of \(settings.runs))"
        )
        report.table(
            [["", "median", "fastest"]]
                + [
                    ("a sampler's first look", first), ("each look after it", next), ("xdpctl stats", text),
                    ("xdpctl stats --json", json), ("xdpctl stats --prometheus", exposition),
                ].map { name, values in
                    let samples = Samples(values)
                    return [name, Text.decimal(samples.median, 2), Text.decimal(samples.minimum, 2)]
                })
        report.promise("stats, 100 interfaces", Samples(text).median, atMost: 50, "ms")
        report.promise("a look at 100 interfaces", Samples(next).median, atMost: 50, "ms")
    }

    private func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        let passed = (ContinuousClock.now - start).components
        return Double(passed.seconds) * 1000 + Double(passed.attoseconds) / 1e15
    }
}
