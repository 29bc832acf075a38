// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import Glibc
import XDP

struct FilterStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what rules and counters counted, and how large sets are.",
        discussion: """
            With --watch it goes on until it is interrupted, in place on a terminal; with --json that is an object \
            a line. Rates are of the time since the last look.

            Examples:
              xdpctl filter stats eth0
              xdpctl filter stats eth0 --watch
              xdpctl filter stats eth0 --watch --every 5s --json
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Flag(help: "Go on, look after look.") var watch = false
    @Option(help: ArgumentHelp("How long from look to look: 5s, 1m.", valueName: "time"))
    var every: TimeSpan?
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if every?.isMoreThanADay == true { throw ValidationError("--every takes a time up to one day") }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            var output = FilterStatsOutput(try look(), on: interface, since: nil)
            guard watch || every != nil else {
                if options.json { return JSONOutput.print(output) }
                return print(output.lines.joined(separator: "\n"))
            }
            var screen = Screen()
            defer { screen.end() }
            repeat {
                if options.json {
                    JSONOutput.printLine(output)
                    fflush(nil)
                } else {
                    screen.show(output.lines)
                }
                guard screen.wait(seconds: every?.seconds ?? 1) else { return }
                output = FilterStatsOutput(try look(), on: interface, since: output)
            } while true
        }
    }

    private func look() throws(XDPError) -> FilterStatsOutput.Look {
        let live = try filter.find(interface)
        var sizes: [String: Int] = [:]
        for set in live.rules.sets { sizes[set.name] = try live.store(ofSet: set.name).count() }
        return FilterStatsOutput.Look(filter: live, counted: try live.counted(), sizes: sizes)
    }
}
