// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change and show the elements of a filter's sets, in place.",
        discussion: """
            Packets meet every change at once; rules and counters stay. What is added by hand stays when rules are \
            applied again.

            Examples:
              xdpctl filter set add eth0 blocklist 203.0.113.0/24 timeout 10m
              xdpctl filter set add eth0 services '192.0.2.1 . 443'
              xdpctl filter set delete eth0 blocklist --file gone.txt
              xdpctl filter set list eth0 blocklist > saved.txt
            """,
        subcommands: [
            FilterSetAdd.self, FilterSetDelete.self, FilterSetList.self, FilterSetFlush.self,
            FilterSetTest.self,
        ])
}

/// Which set a command speaks of.
struct FilterSetOptions: ParsableArguments {
    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The set.") var set: String
    @OptionGroup(title: "Filter") var filter: FilterOptions

    func editor() throws(XDPError) -> SetEditor {
        SetEditor(set, on: try Interface(named: interface), name: filter.name)
    }
}

/// The elements that a command is given.
struct FilterSetElements: ParsableArguments {
    @Argument(help: "Elements, as they stand in a rule file; `timeout 10m` behind them is for all.")
    var elements: [String] = []
    @Option(
        help: ArgumentHelp(
            "A file with further elements, one a line; - is standard input.", valueName: "file"),
        completion: .file())
    var file: String?

    func validate() throws {
        if elements.isEmpty, file == nil {
            throw ValidationError("name elements, or a file with --file")
        }
    }

    /// Each element as a line. A tuple may be one word or several; a timeout in the same word is the element's own.
    static func lines(of elements: [String]) throws(XDPError) -> [String] {
        var lines: [String] = []
        var isOpen = false
        var shared: String?
        var rest = elements[...]
        while let word = rest.popFirst() {
            if word == "timeout" {
                guard let time = rest.popFirst(), rest.isEmpty, !lines.isEmpty else {
                    throw GlobalOptions.invalid(
                        "The elements are not understood",
                        because: "`timeout` has to be behind all of them, with a time",
                        remedy:
                            "Write `timeout 10m` at the end, or quote an element with its own: '192.0.2.1 timeout 10m'"
                    )
                }
                shared = time
            } else if word == "." || isOpen, let last = lines.popLast() {
                lines.append("\(last) \(word)")
                isOpen = word == "."
            } else {
                lines.append(word)
            }
        }
        guard let shared else { return lines }
        return lines.map { $0.contains(" timeout ") ? $0 : "\($0) timeout \(shared)" }
    }

    /// Everything that was named, ready for the maps.
    func contents(_ declaration: SetDeclaration) throws(XDPError) -> SetContents {
        let lines = try Self.lines(of: elements)
        guard let file else { return try SetSource(declaration).read(lines: lines) }
        var source = declaration
        source.elements = []
        source.file = file == "-" ? "/dev/stdin" : file
        return try SetSource(source, directory: "").read(adding: lines)
    }
}
