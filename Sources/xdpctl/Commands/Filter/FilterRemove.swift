// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take a filter off an interface.",
        discussion: """
            Its sets and counters go with it. Other members of the chain stay.

            Examples:
              xdpctl filter remove eth0
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @Flag(help: "Set edges of others that lead to the filter back to the default.") var dropEdges = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = try filter.editor(interface)
            ChangeOutput(try editor.remove(droppingEdges: dropEdges)).print(options)
        }
    }
}
