// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import Glibc
import Observe
import XDP

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say where the packets of an interface go, and why.",
        discussion: """
            Watches the interface for a while and compares what its counters, the chain, the rules of filters, the \
            kernel's tracepoints, processors and sockets say. Each possible cause is tried: what applies comes with \
            its evidence and what to do, what explains most packets first; --all also shows why the others do not \
            apply. It works with and without a chain, and with programs of others.

            Nothing is changed, unless --sample is said: then a capture stands in the chain while it is watched \
            (of a program of others, the program is adopted for the time), and some packets are shown as evidence.

            An interrupt (^C) ends the watching early, and what was seen so far is explained.

            Exit status: 0 when it has been explained, whatever was found.

            Examples:
              xdpctl explain eth0
              xdpctl explain eth0 --for 1m --sample
              xdpctl explain eth0 --all
              xdpctl explain eth0 --json | jq '.findings[].what'
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Option(
        name: .customLong("for"), help: ArgumentHelp("How long to watch: 10s, 2m.", valueName: "time"))
    var time: String = "10s"
    @Flag(help: "Capture packets for the time, and show some as evidence.") var sample = false
    @Flag(help: "Also show what is ruled out, and why.") var all = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        guard seconds != nil else {
            throw ValidationError("--for takes a time from 0.1s to one day, such as 10s or 2m")
        }
    }

    /// Also parts of a second.
    private var seconds: Double? {
        let number = time.hasSuffix("s") ? String(time.dropLast()) : time
        let seconds = Double(number) ?? LifeText.seconds(time).map(Double.init)
        return seconds.flatMap { (0.1...86_400).contains($0) ? $0 : nil }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            var observation = Observation(of: try Interface(named: interface), seconds: seconds ?? 10)
            observation.sampling = sample
            Interruption.catchSignals()
            let progress = WatchProgress(of: interface, for: observation.seconds, isWanted: !options.json)
            let facts = try observation.gather { passed in
                progress.show(passed)
                return !Interruption.hasCome
            }
            progress.end()
            let output = ExplainOutput(Explanation(facts), commands: RemedyCommands(for: options.netns))
            if options.json { return JSONOutput.print(output) }
            for line in ExplainText(output, withAll: all).lines { print(line) }
        }
    }
}

/// Says on a terminal how long it still takes.
private struct WatchProgress {
    private let name: String
    private let seconds: Double
    private let isShown: Bool

    init(of name: String, for seconds: Double, isWanted: Bool) {
        self.name = name
        self.seconds = seconds
        isShown = isWanted && isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    }

    func show(_ passed: Double) {
        write("\rwatching \(name): \(Int((seconds - passed).rounded(.up))) s left (^C ends it)\u{1b}[K")
    }

    func end() { write("\r\u{1b}[K") }

    private func write(_ text: String) {
        guard isShown else { return }
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
