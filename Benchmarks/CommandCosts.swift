// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import XDP

/// What the command costs its user: processor time, waiting time and memory, on a veth pair in a network
/// namespace that nobody else sees.
struct CommandCosts {
    private static let near = Sandbox.interface
    private let catalog: Catalog
    private let settings: Settings
    private let xdpctl: String

    init(catalog: Catalog, settings: Settings) throws {
        self.catalog = catalog
        self.settings = settings
        xdpctl = settings.command
        guard access(xdpctl, X_OK) == 0 else {
            throw BenchmarkError("no \(xdpctl): build it, or name it with --xdpctl")
        }
        try Sandbox.enterNetwork()
    }

    // MARK: Changes

    /// The ways to change a chain of ten, each with its way back.
    private struct Change {
        let name: String
        let there: [String]
        let back: [String]
    }

    func changes(_ report: Report) throws {
        var paths: [String] = []
        for member in catalog.passing where !paths.contains(member.origin) { paths.append(member.origin) }
        guard paths.count > 10 else {
            report.unmeasured("own CPU time of a change", because: "too few programs")
            return
        }
        try ChildProcess.succeed([xdpctl, "load", Self.near] + paths.prefix(10))
        defer { _ = try? ChildProcess.run([xdpctl, "unload", Self.near, "--all"]) }
        let name = LoadRequest.defaultName(paths[4])
        let first = LoadRequest.defaultName(paths[0])
        let last = LoadRequest.defaultName(paths[10])
        let changes = [
            Change(
                name: "move", there: ["move", Self.near, name, "--last"],
                back: ["move", Self.near, name, "--first"]),
            Change(
                name: "edge", there: ["edge", Self.near, first, "drop=end", "tx=next"],
                back: ["edge", Self.near, first, "drop=default", "tx=default"]),
            Change(
                name: "load, unload", there: ["load", Self.near, paths[10], "--name", last],
                back: ["unload", Self.near, last]),
            Change(
                name: "replace", there: ["replace", Self.near, name, paths[10]],
                back: ["replace", Self.near, name, paths[4]]),
        ]
        report.section(
            "Changing a chain of 10 ordinary programs (ms, mean of \(settings.runs) runs)")
        var lines = [["", "user", "system", "wall, median"]]
        var costs: [Cost] = []
        for change in changes {
            costs.append(try measure(change))
            lines.append([change.name] + (costs.last?.cells ?? []))
        }
        // One more, in a program of its own: the chain is not swapped.
        try ChildProcess.succeed([xdpctl, "load", Self.near, paths[4], "--name", "hot", "--isolate"])
        let hot = try measure(
            Change(
                name: "replace, isolated", there: ["replace", Self.near, "hot", paths[10]],
                back: ["replace", Self.near, "hot", paths[4]]))
        lines.append(["replace, isolated"] + hot.cells)
        report.table(lines)
        if let inline = costs.last {
            report.note(
                "an isolated member's replacement / an inline one's: "
                    + "\(Text.decimal(hot.wall / inline.wall, 2)) of the wall time, "
                    + "\(Text.decimal(hot.user / inline.user, 2)) of the user time")
        }
        report.promise("own CPU time of a change", costs.map(\.user).max() ?? 0, atMost: 10, "ms")
    }

    /// Milliseconds of one kind of change.
    private struct Cost {
        var user: Double
        var system: Double
        var wall: Double

        var cells: [String] { [Text.decimal(user, 2), Text.decimal(system, 2), Text.decimal(wall, 1)] }
    }

    private func measure(_ change: Change) throws -> Cost {
        var runs: [ChildProcess] = []
        for _ in 0..<(settings.runs + 1) / 2 {
            runs.append(try ChildProcess.succeed([xdpctl] + change.there))
            runs.append(try ChildProcess.succeed([xdpctl] + change.back))
        }
        return Cost(
            user: Samples(runs.map(\.user)).mean, system: Samples(runs.map(\.system)).mean,
            wall: Samples(runs.map(\.wall)).median)
    }

    // MARK: Beside xdp-loader

    private struct Pair {
        var ours: [Double] = []
        var theirs: [Double] = []
        /// The median of the ratios of neighbours: what disturbs one disturbs the other.
        var ratio: Double { Samples(zip(ours, theirs).map { $0 / $1 }).median }
        var fastestRatio: Double { Samples(ours).minimum / Samples(theirs).minimum }
    }

    func besideOthers(_ report: Report) throws {
        guard (try? ChildProcess.run(["xdp-loader", "help"])) != nil else {
            report.unmeasured("beside xdp-loader", because: "it is not installed")
            return
        }
        let pass = try Fixture.path("pass")
        let filter = Catalog.toolObjects().first { $0.hasSuffix("xdpfilt_alw_all.o") } ?? pass
        report.section("Beside xdp-loader, in turn (wall ms: median, then fastest, of \(settings.runs))")
        var lines = [["", "xdpctl", "xdp-loader", "ratio", "xdpctl", "xdp-loader", "ratio"]]

        try ChildProcess.succeed([xdpctl, "load", Self.near, pass])
        let ourStatus = [xdpctl, "status", Self.near]
        let theirStatus = ["xdp-loader", "status", Self.near]
        let status = try compare(ourStatus, theirStatus)
        lines.append(line("status, 1 program", status))
        let light = try peaks(ourStatus, theirStatus)
        try ChildProcess.succeed([xdpctl, "unload", Self.near, "--all"])
        let ten = Array(Set(catalog.passing.map(\.origin)).sorted().prefix(10))
        try ChildProcess.succeed([xdpctl, "load", Self.near] + ten)
        let longStatus = try compare(ourStatus, theirStatus)
        lines.append(line("status, chain of \(ten.count)", longStatus))
        let heavy = try peaks(ourStatus, theirStatus)
        try ChildProcess.succeed([xdpctl, "unload", Self.near, "--all"])

        var loads: [Pair] = []
        var largest = ("", light.ours, light.theirs)
        for (name, path) in [("pass.o", pass), ("xdpfilt_alw_all.o", filter)] {
            let (load, unload) = try compareLoads(path)
            loads.append(load)
            lines.append(line("load \(name)", load))
            lines.append(line("unload \(name)", unload))
            let ours = try peak([xdpctl, "load", Self.near, path], [xdpctl, "unload", Self.near, "--all"])
            let theirs = try peak(
                ["xdp-loader", "load", "-m", "native", Self.near, path],
                ["xdp-loader", "unload", "-a", Self.near])
            largest = ("load \(name)", ours, theirs)
        }
        report.table(lines)
        report.section("Peak memory (MB)")
        report.table([
            ["", "xdpctl", "xdp-loader"],
            ["status, 1 program", Text.decimal(light.ours, 1), Text.decimal(light.theirs, 1)],
            ["status, chain of \(ten.count)", Text.decimal(heavy.ours, 1), Text.decimal(heavy.theirs, 1)],
            [largest.0, Text.decimal(largest.1, 1), Text.decimal(largest.2, 1)],
        ])
        let statusRatio = max(status.ratio, longStatus.ratio)
        report.promise("status / xdp-loader status", statusRatio, atMost: 1.5, "x")
        report.promise("peak memory of status", max(light.ours, heavy.ours), atMost: 12, "MB")
        // The smallest object there is weighs the start of the process, a real one the work: neither alone
        // says what a load costs, so the geometric mean of both is judged.
        let mean = loads.map { log($0.ratio) }.reduce(0, +) / Double(max(loads.count, 1))
        report.promise("load / xdp-loader load, mean", exp(mean), atMost: 1.1, "x")
    }

    private func line(_ name: String, _ pair: Pair) -> [String] {
        let ours = Samples(pair.ours)
        let theirs = Samples(pair.theirs)
        return [name]
            + [ours.median, theirs.median, pair.ratio, ours.minimum, theirs.minimum, pair.fastestRatio]
            .map { Text.decimal($0, 2) }
    }

    private func compare(_ ours: [String], _ theirs: [String]) throws -> Pair {
        var pair = Pair()
        for _ in 0..<settings.runs {
            pair.ours.append(try ChildProcess.succeed(ours).wall)
            pair.theirs.append(try ChildProcess.succeed(theirs).wall)
        }
        return pair
    }

    private func compareLoads(_ path: String) throws -> (load: Pair, unload: Pair) {
        var load = Pair()
        var unload = Pair()
        for _ in 0..<settings.runs {
            load.ours.append(try ChildProcess.succeed([xdpctl, "load", Self.near, path]).wall)
            unload.ours.append(try ChildProcess.succeed([xdpctl, "unload", Self.near, "--all"]).wall)
            load.theirs.append(
                try ChildProcess.succeed(["xdp-loader", "load", "-m", "native", Self.near, path]).wall)
            unload.theirs.append(try ChildProcess.succeed(["xdp-loader", "unload", "-a", Self.near]).wall)
        }
        return (load, unload)
    }

    private func peaks(_ ours: [String], _ theirs: [String]) throws -> (ours: Double, theirs: Double) {
        (try peak(ours), try peak(theirs))
    }

    /// The largest of a few runs.
    private func peak(_ command: [String], _ undo: [String]? = nil) throws -> Double {
        var most = 0.0
        for _ in 0..<3 {
            most = max(most, try ChildProcess.peakMemory(command))
            if let undo { try ChildProcess.succeed(undo) }
        }
        return most
    }
}
