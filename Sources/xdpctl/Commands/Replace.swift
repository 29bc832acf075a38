// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Replace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Put a new object in the place of a member.",
        discussion: """
            Place, edges and counters stay, and so do the maps whose definition is unchanged, with \
            their contents, and what was set with --set and --max-entries.

            Examples:
              xdpctl replace eth0 ids ids-2.o
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The member.", completion: .members) var member: String
    @Argument(help: "The new object file.", completion: .file(extensions: ["o"])) var path: String
    @OptionGroup(title: "Object") var object: ObjectOptions
    @OptionGroup(title: "Checks") var checks: CheckOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            var request = try object.request(path)
            request.keepsSettings = true
            let editor = try checks.editor(interface)
            ChangeOutput(try editor.replace(member, with: request)).print(options)
        }
    }
}
