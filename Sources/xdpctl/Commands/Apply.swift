// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Configuration
import XDP

struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make chains what files say.",
        discussion: """
            Documentation/files.md describes the files; `xdpctl export` writes one. Everything is checked \
            first, and if anything is wrong nothing is changed. Then each interface that differs gets its new \
            chain in one swap. One that fails is reported, and the others go on. A second run changes nothing.

            Examples:
              xdpctl apply --dry-run /etc/xdpctl
              xdpctl apply /etc/xdpctl
              xdpctl apply --only eth0 eth0.yaml eth1.yaml
            """)

    @Argument(
        help: "Files, and directories whose *.yaml and *.yml are read by name.",
        completion: .file(extensions: ["yaml", "yml", "json"]))
    var paths: [String]
    @Flag(help: "Print the plan and change nothing; the exit status is 0 also if there is something to do.")
    var dryRun = false
    @Flag(help: "Also unload the chains of interfaces that no file names.") var prune = false
    @Option(
        help: ArgumentHelp("Touch only this interface. Repeatable.", valueName: "interface"),
        completion: .interfaces)
    var only: [String] = []
    @Flag(help: "Pass over interfaces that do not exist.") var skipMissing = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        var hasFailed = false
        try options.perform { () throws(XDPError) in
            var planner = Planner()
            planner.only = only.isEmpty ? nil : Set(only)
            planner.skipsMissing = skipMissing
            planner.prunes = prune
            let plan = try planner.plan(ConfigurationFiles(paths))
            if !options.json { ApplyText.print(plan) }
            let output = ApplyOutput(
                dryRun: dryRun, interfaces: dryRun ? plan.map { .init($0) } : carryOut(plan))
            hasFailed = output.interfaces.contains { $0.outcome == "failed" }
            if options.json {
                JSONOutput.print(output)
            } else {
                ApplyText.printEnd(output)
            }
        }
        if hasFailed { throw ExitCode(1) }
    }

    private func carryOut(_ plan: [PlannedInterface]) -> [ApplyOutput.InterfaceOutput] {
        plan.map { planned in
            var output: ApplyOutput.InterfaceOutput
            do throws(XDPError) {
                output = ApplyOutput.InterfaceOutput(planned)
                if let report = try planned.carryOut() {
                    output.add(report)
                    if !options.json { ChangeOutput(report).print(options) }
                }
            } catch {
                output = ApplyOutput.InterfaceOutput(planned)
                output.fail(error, withDetails: options.verbose)
                if !options.json { CommandFailure.explain(error, withDetails: options.verbose) }
            }
            return output
        }
    }
}
