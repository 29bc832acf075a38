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
            first, also what the programs do against what interfaces and kernel give, and if anything is wrong \
            nothing is changed. Then each interface that differs gets its new \
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
    @Flag(
        help: """
            Print the plan and what the checks find, and change nothing; the exit status is 0 also if there is \
            something to do, 3 if it would be refused.
            """)
    var dryRun = false
    @Flag(help: "Make the changes although a check finds an error, and say what will happen.")
    var force = false
    @Flag(help: "Also unload the chains of interfaces that no file names.") var prune = false
    @Option(
        help: ArgumentHelp("Touch only this interface. Repeatable.", valueName: "interface"),
        completion: .interfaces)
    var only: [String] = []
    @Flag(help: "Pass over interfaces that do not exist.") var skipMissing = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        var status: Int32 = 0
        try options.perform { () throws(XDPError) in
            var planner = Planner()
            planner.only = only.isEmpty ? nil : Set(only)
            planner.skipsMissing = skipMissing
            planner.prunes = prune
            let plan = try planner.plan(ConfigurationFiles(paths))
            if !options.json { ApplyText.print(plan) }
            let output: ApplyOutput
            if dryRun {
                let checks = plan.map(rehearse)
                output = ApplyOutput(
                    dryRun: true, interfaces: zip(plan, checks).map { .init($0, checks: $1) })
                if !force, checks.joined().contains(where: { $0.severity == .error }) { status = 3 }
            } else {
                try refuse(plan)
                output = ApplyOutput(dryRun: false, interfaces: carryOut(plan))
                if output.interfaces.contains(where: { $0.outcome == "failed" }) { status = 1 }
            }
            if options.json {
                JSONOutput.print(output)
            } else {
                ApplyText.printEnd(output)
            }
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// What would be found; what cannot even be built is among it.
    private func rehearse(_ planned: PlannedInterface) -> [CheckFinding] {
        do throws(XDPError) {
            return try planned.check()
        } catch {
            return [CheckFinding(notCheckable: error, of: planned.name)]
        }
    }

    /// Nothing is applied if a check refuses any of it. What cannot be built is reported when it is tried.
    private func refuse(_ plan: [PlannedInterface]) throws(XDPError) {
        guard !force else { return }
        var found: [CheckFinding] = []
        for planned in plan {
            for var finding in (try? planned.check()) ?? [] {
                finding.subject = "\(planned.name)/\(finding.subject)"
                found.append(finding)
            }
        }
        if let error = XDPError("Nothing was applied", refusedBy: found) { throw error }
    }

    private func carryOut(_ plan: [PlannedInterface]) -> [ApplyOutput.InterfaceOutput] {
        plan.map { planned in
            var output: ApplyOutput.InterfaceOutput
            do throws(XDPError) {
                output = ApplyOutput.InterfaceOutput(planned)
                if let report = try planned.carryOut(overridingChecks: force) {
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
