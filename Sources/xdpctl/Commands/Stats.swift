// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Observe
import XDP

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what chain, driver and stack counted, and whether it adds up.",
        discussion: """
            Beside the verdicts of each member stand the counters of the network stack, and those of the driver that \
            are about XDP, in words that are the same for all drivers (Documentation/stats.md). The line “adds up” \
            says whether all of them speak of the same packets, and where not, by how many and why. Without --for or \
            --watch that is about everything that was ever counted; the interface may have counted before the chain.

            Examples:
              xdpctl stats
              xdpctl stats eth0 --for 2s
              xdpctl stats eth0 --watch
              xdpctl stats --watch --every 5 --json
              xdpctl stats --prometheus > xdp.tmp && mv xdp.tmp xdp.prom
            """)

    @Argument(
        help: "The interfaces; all that have a program if none is named.", completion: .interfaces)
    var interfaces: [String] = []
    @Flag(help: "Go on, look after look, with rates.") var watch = false
    @Option(help: ArgumentHelp("Seconds from look to look, with --watch.", valueName: "seconds"))
    var every: Double?
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Look twice, so long apart: rates, and what of it adds up.", valueName: "time"))
    var span: TimeSpan?
    @Flag(help: "Print the text format of Prometheus.") var prometheus = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if let every, !(0.1...86_400).contains(every) {
            throw ValidationError("--every takes seconds from 0.1 to 86400")
        }
        if every != nil, !watch { throw ValidationError("--every goes with --watch") }
        if span != nil, watch { throw ValidationError("--for and --watch exclude each other") }
        if prometheus, watch || span != nil || options.json {
            throw ValidationError("--prometheus goes with neither --watch, --for nor --json")
        }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            var looker = try InterfaceLooker(interfaces)
            if prometheus {
                return print(PrometheusText(try looker.look()).lines.joined(separator: "\n"))
            }
            if watch { return try follow(&looker) }
            var samples = try looker.look()
            var earlier: [InterfaceSample]?
            if let span {
                var rest = span.seconds
                while rest > 0 {
                    usleep(UInt32(min(rest, 1) * 1_000_000))
                    rest -= 1
                }
                earlier = samples
                samples = try looker.look()
            }
            let output = StatsOutput(samples, since: earlier)
            if options.json { return JSONOutput.print(output) }
            print(lines(of: output, looker.idle).joined(separator: "\n"))
        }
    }

    private func follow(_ looker: inout InterfaceLooker) throws(XDPError) {
        var screen = Screen()
        defer { screen.end() }
        var earlier: [InterfaceSample]?
        repeat {
            let samples = try looker.look()
            let output = StatsOutput(samples, since: earlier)
            earlier = samples
            if options.json {
                JSONOutput.printLine(output)
                fflush(nil)
            } else {
                screen.show(lines(of: output, looker.idle))
            }
        } while screen.wait(seconds: every ?? 1)
    }

    private func lines(of output: StatsOutput, _ idle: [String]) -> [String] {
        var lines = StatsText(output, showsAll: options.verbose).lines
        if !idle.isEmpty {
            if !lines.isEmpty { lines.append("") }
            lines.append(
                Terminal.wrapped(
                    "no XDP program on \(idle.map(Terminal.clean).joined(separator: ", "))", indent: 4))
        }
        return lines
    }
}

/// Looks at interfaces, the same ones each time or those that have a program then.
struct InterfaceLooker: ~Copyable {
    private var sampler: InterfaceSampler
    private let named: [Interface]
    /// Those without a program at the last look, where none was named.
    private(set) var idle: [String] = []

    init(_ names: [String]) throws(XDPError) {
        var found: [Interface] = []
        for name in names {
            let interface = try Interface(named: name)
            // Named twice, or by another of its names: it is shown once.
            if !found.contains(where: { $0.index == interface.index }) { found.append(interface) }
        }
        sampler = try InterfaceSampler()
        named = found
    }

    mutating func look() throws(XDPError) -> [InterfaceSample] {
        if named.isEmpty {
            let all = try sampler.sampleAll()
            idle = all.filter { $0.mode == nil }.map(\.interface)
            return all.filter { $0.mode != nil }
        }
        var samples: [InterfaceSample] = []
        for interface in named { samples.append(try sampler.sample(interface)) }
        return samples
    }
}
