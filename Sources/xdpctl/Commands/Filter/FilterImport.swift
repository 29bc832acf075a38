// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import Glibc
import XDP

extension RuleImport.Format: ExpressibleByArgument {}

struct FilterImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a rule file of what other filters print.",
        discussion: """
            xdp-filter is what `xdp-filter status` prints, nft-set the sets in `nft list ruleset`, ipset what \
            `ipset save` prints. Sets come without rules: nothing is dropped until rules name them. What cannot \
            be carried over is said with its line, on standard error and at the top of the file.

            Examples:
              xdp-filter status | xdpctl filter import xdp-filter - -o edge.xdp
              nft list ruleset | xdpctl filter import nft-set -
              ipset save | xdpctl filter import ipset - > sets.xdp
            """)

    @Argument(help: "xdp-filter, nft-set or ipset.") var format: RuleImport.Format
    @Argument(help: "The output of that tool; - for standard input.", completion: .file())
    var file: String
    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write here, over what is there.", valueName: "file"),
        completion: .file(extensions: ["xdp"]))
    var output: String?
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let name = file == "-" ? "standard input" : file
            let result = try RuleImport(try RuleInput.bytes(file), as: format, file: name)
            if let output { try Self.write(result.text, to: output) }
            if options.json {
                JSONOutput.print(FilterImportOutput(result, writtenTo: output))
                return
            }
            for note in result.notes {
                Terminal.error(Terminal.clean("\(name):\(note.line): \(note.what)"))
            }
            if output == nil { print(result.text, terminator: "") }
        }
    }

    private static func write(_ text: String, to path: String) throws(XDPError) {
        guard let file = fopen(path, "w") else { throw failure(path) }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw failure(path) }
    }

    private static func failure(_ path: String) -> XDPError {
        XDPError(
            .failed, "\(path) cannot be written", because: String(cString: strerror(errno)))
    }
}
