// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Print the rules that run on an interface, as a rule file.",
        discussion: """
            What is printed can be applied again. Rules are as the kernel has them: what was added by hand is among \
            them.

            Examples:
              xdpctl filter list eth0 --counters
              xdpctl filter list eth0 --elements > edge.xdp
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Flag(help: "What each rule counted, as a comment behind it.") var counters = false
    @Flag(help: "The numbers of rules, as comments.") var numbers = false
    @Flag(help: "All elements of sets as they are now, not the names of their files.") var elements = false
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let live = try filter.find(interface)
            let output = try FilterListOutput(
                live, on: interface, shows: .init(counters: counters, numbers: numbers, elements: elements))
            if options.json { return JSONOutput.print(output) }
            print(output.text, terminator: "")
        }
    }
}
