// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterSetTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Ask whether elements are in a set.",
        discussion: """
            A set of prefixes has an address or a network if one of its networks covers it. The exit status is 1 if \
            one of the elements is not in the set.

            Examples:
              xdpctl filter set test eth0 blocklist 203.0.113.7
            """)

    @OptionGroup var place: FilterSetOptions
    @Argument(help: "Elements, as they stand in a rule file.") var elements: [String]
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        var isMissing = false
        try options.perform { () throws(XDPError) in
            let editor = try place.editor()
            let source = SetSource(try editor.declaration())
            let lines = try FilterSetElements.lines(of: elements)
            var contents: [SetContents] = []
            for line in lines { contents.append(try source.read(lines: [line])) }
            let answers = Array(zip(lines, try editor.contains(contents)))
            isMissing = answers.contains { !$0.1 }
            let output = FilterSetTestOutput(
                answers, set: editor.set, on: editor.interface.name, filter: try editor.filter().name)
            if options.json { JSONOutput.print(output) } else { print(output.text, terminator: "") }
        }
        if isMissing { throw ExitCode.failure }
    }
}
