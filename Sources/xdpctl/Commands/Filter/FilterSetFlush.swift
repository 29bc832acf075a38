// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterSetFlush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush", abstract: "Remove all elements of a set.")

    @OptionGroup var place: FilterSetOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = try place.editor()
            _ = try editor.declaration()
            let change = try editor.flush()
            try FilterSetChangeOutput(.deleted, change, nil, editor).print(options)
        }
    }
}
