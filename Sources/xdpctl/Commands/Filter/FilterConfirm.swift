// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterConfirm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Keep rules that were put on with --confirm.",
        discussion: """
            Fails if the time is over: then the old rules are back.

            Examples:
              xdpctl filter confirm eth0
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let (settlement, name, report) = try filter.editor(interface).confirm()
            guard settlement == .confirmed else {
                throw XDPError(
                    .failed, "The new rules of \(name) on \(interface) cannot be confirmed",
                    because: "their time was over, and the rules from before are back",
                    remedy: "Apply them again, with more time")
            }
            FilterSettlementOutput(settlement, name, report).print(options)
        }
    }
}
