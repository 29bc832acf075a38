// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterRevert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Give rules up that were put on with --confirm.",
        discussion: """
            The rules from before come back at once.

            Examples:
              xdpctl filter revert eth0
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let (settlement, name, report) = try filter.editor(interface).revert()
            FilterSettlementOutput(settlement, name, report).print(options)
        }
    }
}
