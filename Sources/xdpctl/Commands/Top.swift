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

            With --members each member is measured, too: chains are linked anew with code that reads the clock around \
            every member for one packet of \(MeterCode.period), and once more without it when the command ends, in \
            whatever way. Somebody else's program becomes a member for the time, and is given back.

            Examples:
              xdpctl top
              xdpctl top eth0 --members
              xdpctl top eth0 --every 5s
              xdpctl top --once
              xdpctl top --once --json | jq .interfaces[0].nanoseconds_per_packet
            """)

    @Argument(
        help: "The interfaces; all that have a program if none is named.", completion: .interfaces)
    var interfaces: [String] = []
    @Option(help: ArgumentHelp("How long from look to look: 5s, 1m.", valueName: "time"))
    var every = TimeSpan(seconds: 1)
    @Flag(help: "Measure once, for as long as --every says.") var once = false
    @Flag(help: "Measure each member, too; links chains anew for the time.") var members = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if every.isMoreThanADay { throw ValidationError("--every takes a time up to one day") }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            // First, for what comes next shall end in order when a signal comes.
            var screen = Screen()
            defer { screen.end() }
            var looker = try InterfaceLooker(interfaces)
            var meters = MemberMeters(isOn: members)
            meters.follow(try looker.look())
            do throws(XDPError) {
                try show(&looker, &meters, &screen)
            } catch {
                try? meters.end()
                throw error
            }
            try meters.end()
        }
    }

    private func show(
        _ looker: inout InterfaceLooker, _ meters: inout MemberMeters, _ screen: inout Screen
    ) throws(XDPError) {
        var earlier = try looker.look()
        var meter = try CostMeter()
        _ = try meter.read(earlier)
        while screen.wait(seconds: every.seconds) {
            let samples = try looker.look()
            let output = TopOutput(
                try meter.read(samples), samples, since: earlier, overhead: meter.overhead,
                members: try meters.read(), notes: meters.notes)
            meters.follow(samples)
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
