// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Replace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Put a new object in the place of a member.",
        discussion: """
            Place, edges and counters stay, and so do the maps whose definition is unchanged, with \
            their contents.
            """)

    @Argument(help: "The interface.") var interface: String
    @Argument(help: "The member.") var member: String
    @Argument(help: "The new object file.") var path: String
    @OptionGroup(title: "Object") var object: ObjectOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let request = try object.request(path)
            let editor = ChainEditor(try Interface(named: interface))
            ChangeOutput(try editor.replace(member, with: request)).print(options)
        }
    }
}
