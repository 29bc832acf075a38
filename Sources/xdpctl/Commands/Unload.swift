// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Unload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unload",
        abstract: "Take members out of the chain of an interface.")

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The members.", completion: .members) var members: [String] = []
    @Flag(help: "Take all members, and the chain with them.") var all = false
    @Flag(help: "Set edges of others that lead to the members back to the default.") var dropEdges = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard all != !members.isEmpty else {
                throw GlobalOptions.invalid(
                    "It is not clear what to unload", because: "either members or --all have to be named")
            }
            let editor = ChainEditor(try Interface(named: interface))
            ChangeOutput(try editor.unload(all ? nil : members, droppingEdges: dropEdges)).print(options)
        }
    }
}
