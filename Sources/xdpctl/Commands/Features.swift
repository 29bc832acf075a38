// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Features: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Show what this kernel gives to XDP.")

    @Flag(help: "Show what this kernel gives: instructions, helpers, map types and more.")
    var kernel = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let report = KernelReport(KernelSurvey())
            if options.json { return JSONOutput.print(report) }
            for line in KernelText(report).lines { print(line) }
        }
    }
}
