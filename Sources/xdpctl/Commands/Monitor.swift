// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Observe
import XDP

struct Monitor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what goes wrong with XDP: exceptions, failed redirects, full queues.",
        discussion: """
            It listens to the kernel's XDP tracepoints, and looks every second which programs are attached. Like \
            events are added up in the kernel: the first of a kind is a line at once, with what it means and what \
            to do, and what came since is a line each interval. It goes on until it is interrupted. With --json \
            each line is an object.

            What a cpumap does is told of all cpumaps of the machine, unless interfaces are named.

            Examples:
              xdpctl monitor
              xdpctl monitor eth0 --for 10s
              xdpctl monitor -c 1 --json
              xdpctl monitor eth0 --all --every 5s
              xdpctl monitor --all-netns
            """)

    @Argument(help: "The interfaces; all of the network namespace if none is named.", completion: .interfaces)
    var interfaces: [String] = []
    @Flag(
        help: "Count what goes well, too: each packet that is redirected or sent. That costs time for each.")
    var all = false
    @Option(
        name: .customLong("for"), help: ArgumentHelp("End after this time: 10s, 5m, 1h.", valueName: "time"))
    var duration: TimeSpan?
    @Option(name: .customShort("c"), help: ArgumentHelp("End after so many lines.", valueName: "number"))
    var count: Int?
    @Option(help: ArgumentHelp("How often to tell what came since.", valueName: "time"))
    var every: TimeSpan = TimeSpan(seconds: 1)
    @Flag(
        help:
            "Tell of every network namespace of this machine; programs that are attached are still those of one."
    )
    var allNetns = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if allNetns, options.netns != nil || !interfaces.isEmpty {
            throw ValidationError("--all-netns goes with neither --netns nor interfaces")
        }
        if let count, count < 1 { throw ValidationError("-c takes a number from 1") }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            var indices: Set<UInt32>?
            for name in interfaces {
                indices = (indices ?? []).union([try Interface(named: name).index])
            }
            let watch = try XDPEventWatch(interfaces: indices, everywhere: allNetns, successes: all)
            let attachments = try AttachmentWatch(indices)
            // A reader that is gone ends it, as a signal does.
            signal(SIGPIPE, SIG_IGN)
            Interruption.catchSignals()
            var session = MonitorSession(
                watch: watch, attachments: attachments, every: every.seconds, left: count ?? .max,
                output: MonitorPrinter(asJSON: options.json), commands: RemedyCommands(for: options.netns))
            try session.run(seconds: duration?.seconds, watching: .watching(interfaces, everywhere: allNetns))
        }
    }
}
