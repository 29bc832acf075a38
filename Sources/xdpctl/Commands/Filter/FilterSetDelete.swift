// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterSetDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Remove elements from a set.",
        discussion: """
            What is not there is said and is no failure. What the rules declare comes back only when its declaration \
            or its file changes.

            Examples:
              xdpctl filter set delete eth0 blocklist 203.0.113.0/24
              xdpctl filter set delete eth0 blocklist --file gone.txt
            """)

    @OptionGroup var place: FilterSetOptions
    @OptionGroup var elements: FilterSetElements
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = try place.editor()
            let contents = try elements.contents(try editor.declaration())
            let change = try editor.delete(contents)
            try FilterSetChangeOutput(.deleted, change, contents, editor).print(options)
        }
    }
}
