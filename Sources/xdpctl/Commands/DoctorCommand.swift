// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Doctor
import XDP

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check whether this machine is ready for XDP, and safe.",
        discussion: """
            Looks at the kernel's options and settings, at the processor's weaknesses, file systems, memory, \
            rights, at the interfaces of this network namespace, at programs and pins that nobody looks after, and \
            at tools. Each finding says what it is believed from and what to do. Nothing is changed. What cannot \
            be read is said to be unknown; root can read most.

            The command ends with status 3 if there are errors among the findings, and with 0 if there are none.

            Examples:
              xdpctl doctor
              xdpctl doctor --profile workstation --all
              xdpctl doctor --json | jq '.findings[].what'
              xdpctl doctor --fix-script > fix.sh
            """)

    @Option(help: "What the machine is for, which decides how bad a finding is.")
    var profile: Profile = .router
    @Flag(help: "Also show what is as it should be.") var all = false
    @Flag(help: "Print a script for sh that makes warnings and errors go, where a script can.")
    var fixScript = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if fixScript, options.json { throw ValidationError("--fix-script and --json exclude each other") }
    }

    func run() throws {
        var hasErrors = false
        // The settings of the network are in the first namespace alone, so this comes before another is entered.
        var facts = MachineFacts.read()
        try options.perform { () throws(XDPError) in
            facts.interfaces = InterfaceFact.readAll()
            let examination = Examination(of: facts, for: profile)
            if fixScript { return print(FixScript(examination).text, terminator: "") }
            let report = DoctorReport(examination, withFine: all)
            if options.json { JSONOutput.print(report) } else { DoctorText.print(report) }
            hasErrors = examination.worst == .error
        }
        if hasErrors { throw ExitCode(3) }
    }
}

extension Profile: ExpressibleByArgument {}
