// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import Glibc
import XDP

struct FilterLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Print what log rules report, packet by packet.",
        discussion: """
            It goes on until it is interrupted, or the filter is gone, and over changes of the rules. One process \
            at a time can read a filter's reports. With --json each is an object a line.

            Examples:
              xdpctl filter log eth0
              xdpctl filter log eth0 -c 10 --json
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Option(name: .customShort("c"), help: ArgumentHelp("End after so many reports.", valueName: "number"))
    var count: Int?
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("-c takes a number from 1") }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            let follower = try LogFollower(on: try Interface(named: interface), name: filter.name)
            Interruption.catchSignals()
            print(.watching(interface))
            var left = count ?? .max
            while left > 0, !Interruption.hasCome {
                for event in try follower.next(milliseconds: 500) where left > 0 {
                    let output = FilterLogOutput(event)
                    print(output)
                    if output.event == "report" { left -= 1 }
                    if output.event == "gone" { left = 0 }
                }
            }
        }
    }

    /// At once, since the reader waits for it.
    private func print(_ output: FilterLogOutput) {
        if options.json {
            JSONOutput.printLine(output)
        } else if output.event == "report" {
            Swift.print(output.text)
        } else {
            // Reports alone go where others may count them.
            fflush(nil)
            Terminal.error(output.text)
        }
        fflush(nil)
    }
}
