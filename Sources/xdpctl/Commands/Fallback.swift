// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Fallback: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fallback",
        abstract: "Set the verdict of packets that have used up their tail calls.",
        discussion: """
            The kernel lets a packet do 33 tail calls. Members with programs of their own need one each, \
            and members may do tail calls themselves. A packet that cannot be handed on is counted \
            (`status`: missed) and gets this verdict as if the member had given it: aborted unless set.

            Examples:
              xdpctl fallback eth0 pass
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "aborted, drop, pass or tx.") var verdict: Verdict
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard verdict != .redirect else {
                throw GlobalOptions.invalid(
                    "The fallback verdict cannot be set",
                    because: "redirect needs a target, which only a program can give",
                    remedy: "It is aborted, drop, pass or tx")
            }
            let editor = ChainEditor(try Interface(named: interface))
            ChangeOutput(try editor.setFallback(verdict)).print(options)
        }
    }
}

extension Verdict: ExpressibleByArgument {
    public init?(argument: String) { self.init(parsing: argument) }
}
