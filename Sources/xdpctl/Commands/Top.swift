// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Observe
import XDP

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show live what XDP programs cost: packets, nanoseconds, share of the CPUs.",
        discussion: """
            While it runs, the kernel reads the clock before and after every run of every BPF program of the machine: \
            some ten nanoseconds a run, and some seventy in virtual machines whose clock is slow. That is measured and \
            left out of what is shown, but packets do pay it until the command ends. A chain is measured as a whole, \
            with all that its members call; what members count is beside it.

            Examples:
              xdpctl top
              xdpctl top eth0 --every 5
              xdpctl top --once
              xdpctl top --once --json | jq .interfaces[0].nanoseconds_per_packet
            """)

    @Argument(
        help: "The interfaces; all that have a program if none is named.", completion: .interfaces)
    var interfaces: [String] = []
    @Option(help: ArgumentHelp("Seconds from look to look.", valueName: "seconds")) var every = 1.0
    @Flag(help: "Measure once, for as long as --every says.") var once = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if !(0.1...86_400).contains(every) {
            throw ValidationError("--every takes seconds from 0.1 to 86400")
        }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            var looker = try InterfaceLooker(interfaces)
            var earlier = try looker.look()
            var meter = try CostMeter()
            _ = try meter.read(earlier)
            var screen = Screen()
            defer { screen.end() }
            while screen.wait(seconds: every) {
                let samples = try looker.look()
                let output = TopOutput(
                    try meter.read(samples), samples, since: earlier, overhead: meter.overhead)
                earlier = samples
                if once {
                    if options.json { return JSONOutput.print(output) }
                    return print(output.lines.joined(separator: "\n"))
                }
                if options.json {
                    JSONOutput.printLine(output)
                    fflush(nil)
                } else {
                    screen.show(output.lines)
                }
            }
        }
    }
}
