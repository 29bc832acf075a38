// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterExplain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how a rule file finds the rule of a packet, and what that costs.",
        discussion: """
            The rules are compiled as `filter apply` would, for a kernel of today, and thrown away: no root is \
            needed, and nothing is asked of the machine. Nanoseconds are estimates, for comparing one way of \
            writing rules with another.

            Examples:
              xdpctl filter explain edge.xdp
              xdpctl filter explain --json - < edge.xdp
            """)

    @Argument(help: "A rule file; - for standard input.", completion: .file(extensions: ["xdp"]))
    var file: String
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            var input = CompilerInput(try RuleInput.rules(file))
            input.assignCounters()
            let output = FilterExplainOutput(
                try FilterCompiler.compile(input), of: file == "-" ? "standard input" : file)
            if options.json { return JSONOutput.print(output) }
            output.print()
        }
    }
}
