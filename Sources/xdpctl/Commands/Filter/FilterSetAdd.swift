// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterSetAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add elements to a set, or give those that are there another life.",
        discussion: """
            A set that is full gets more room by itself, in one swap.

            Examples:
              xdpctl filter set add eth0 blocklist 203.0.113.0/24 timeout 10m
              xdpctl filter set add eth0 blocklist --file today.txt
            """)

    @OptionGroup var place: FilterSetOptions
    @OptionGroup var elements: FilterSetElements
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = try place.editor()
            let contents = try elements.contents(try editor.declaration())
            let change = try editor.add(contents)
            try FilterSetChangeOutput(.added, change, contents, editor).print(options)
        }
    }
}
