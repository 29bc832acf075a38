// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterSetList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Print the elements of a set, sorted, with the lives that are left to them.",
        discussion: """
            What is printed can be read again with --file, and by `from` in a rule file.

            Examples:
              xdpctl filter set list eth0 blocklist > saved.txt
              xdpctl filter set list eth0 blocklist --json
            """)

    @OptionGroup var place: FilterSetOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = try place.editor()
            let declaration = try editor.declaration()
            let output = FilterSetListOutput(
                try editor.list(), declaration, on: editor.interface.name, filter: try editor.filter().name)
            if options.json { output.printJSON() } else { output.printText() }
        }
    }
}
