// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check rule files, for editors and scripts.",
        discussion: """
            Each finding is a line that editors understand, FILE:LINE:COLUMN: error or warning, with the source \
            below it. Nothing of the machine is asked: names of interfaces are taken as they are. The exit \
            status is 0 if all files can be used, also with warnings; 2 if one cannot; with --strict 3 if there \
            are only warnings.

            Examples:
              xdpctl filter check edge.xdp
              xdpctl filter check --strict /etc/xdpctl/*.xdp
              xdpctl filter check --json - < edge.xdp
            """)

    @Argument(help: "Rule files; - for standard input.", completion: .file(extensions: ["xdp"]))
    var files: [String]
    @Flag(help: "Warnings are refused, too.") var strict = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        var status: Int32 = 0
        try options.perform { () throws(XDPError) in
            var reports: [FilterCheckOutput.FileOutput] = []
            for file in files {
                let bytes = try RuleInput.bytes(file)
                let report = FilterCheckOutput.FileOutput(file == "-" ? "standard input" : file, bytes)
                if !options.json { report.print(bytes) }
                reports.append(report)
            }
            let output = FilterCheckOutput(files: reports)
            if options.json { JSONOutput.print(output) }
            let hasWarnings = reports.contains { !$0.findings.isEmpty }
            status = reports.contains { !$0.isUsable } ? 2 : strict && hasWarnings ? 3 : 0
        }
        if status != 0 { throw ExitCode(status) }
    }
}
