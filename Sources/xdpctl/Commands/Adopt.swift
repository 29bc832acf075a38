// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Adopt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Make the program that somebody else attached a member.",
        discussion: """
            A chain takes its place in one atomic swap and calls it, so that others can join; no packet \
            passes without it. `xdpctl release` gives it back.

            Examples:
              xdpctl adopt eth0
              xdpctl adopt eth0 --name katran
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Option(help: "What the member is called; the program's name if nothing is said.") var name: String?
    @Option(help: "What the chain counts: off, packets or bytes.") var counters: CounterMode?
    @OptionGroup(title: "Checks") var checks: CheckOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = try checks.editor(interface)
            ChangeOutput(try editor.adopt(name: name, counters: counters)).print(options)
        }
    }
}
