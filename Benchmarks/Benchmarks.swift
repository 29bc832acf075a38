// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Measures what the project promises, and everything that a reader would want to compare. Needs root and
/// the fixtures.
///
/// Exit status: 0 if everything that must hold does, 1 if something is missed by more than
/// ``Report/margin``, 2 if it could not be measured.
@main
enum Benchmarks {
    static func main() {
        do {
            exit(try run())
        } catch {
            print("\(error)")
            exit(2)
        }
    }

    private static func run() throws -> Int32 {
        let settings = try Settings(Array(CommandLine.arguments.dropFirst()))
        guard geteuid() == 0 else { throw BenchmarkError("needs root") }
        if settings.countsInstructions {
            try Sandbox.enterFileSystem()
            try HopInstructions().show()
            return 0
        }
        let report = Report()
        print("swift-xdp benchmarks, Linux \(kernel()), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) CPUs")
        try Sandbox.enterFileSystem()
        let catalog = try Catalog()
        if settings.wants(1) { try PacketCosts(catalog: catalog, settings: settings).lengths(report) }
        if settings.wants(2) { try HopCost(catalog: catalog).show(report) }
        if settings.wants(3) { try PacketCosts(catalog: catalog, settings: settings).counters(report) }
        if settings.wants(4) { try VerifierWork(catalog: catalog, settings: settings).show(report) }
        if settings.wants(5) || settings.wants(6) {
            let commands = try CommandCosts(catalog: catalog, settings: settings)
            if settings.wants(5) { try commands.changes(report) }
            if settings.wants(6) { try commands.besideOthers(report) }
        }
        if settings.wants(7) { try LinkTimes(catalog: catalog, settings: settings).show(report) }
        if settings.wants(8) { try LadderCosts(catalog: catalog, settings: settings).show(report) }
        if settings.wants(9) { try filters(settings, report) }
        if settings.wants(10) {
            try CaptureCosts(settings: settings).show(report)
            try CaptureRates(settings: settings).show(report)
            try EventCosts(settings: settings).show(report)
        }
        if settings.wants(11) { try StatisticsCosts(settings: settings).show(report) }
        return report.close()
    }

    private static func filters(_ settings: Settings, _ report: Report) throws {
        let bench = try FilterBench(settings: settings)
        defer { bench.clean() }
        try FilterCosts(bench: bench).show(report)
        try SetCosts().show(report)
        try FilterLoads(bench: bench).show(report)
        try FilterPeers(bench: bench).show(report)
    }

    private static func kernel() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "?" }
        return withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
