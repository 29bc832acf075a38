// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import XDP

struct Features: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Show what interfaces, or this kernel, give to XDP.",
        discussion: """
            What drivers can do is what the kernel says (Linux 6.3); what it does not say is unknown, and why. \
            `--probe` attaches a program for a moment: a card may reset itself for that, and lose packets and \
            its link meanwhile.

            `--require` takes \(InterfaceFeatures.names.joined(separator: ", ")). What is unknown is not met.

            Exit status: 3 if something required is missing or unknown.

            Examples:
              xdpctl features
              xdpctl features eth0
              xdpctl features eth0 --require native,redirect,ndo-xmit
              xdpctl features eth0 --probe
              xdpctl features --watch --json
              xdpctl features --kernel
            """)

    @Argument(
        help: "The interfaces, each in full; a table of all if none is named.", completion: .interfaces)
    var interfaces: [String] = []
    @Option(
        help: ArgumentHelp(
            "Exit with 3 unless all of this is there.", valueName: "feature,…"),
        completion: .list(InterfaceFeatures.names))
    var require: [String] = []
    @Flag(help: "Attach a program that passes everything for a moment; this may reset a card.")
    var probe = false
    @Flag(help: "Print a line whenever something changes, until interrupted.")
    var watch = false
    @Flag(help: "Show what this kernel gives: instructions, helpers, map types and more.")
    var kernel = false
    @OptionGroup(title: "General") var options: GlobalOptions

    private var requirements: [String] {
        require.flatMap { $0.split(separator: ",") }.map(String.init)
    }

    func validate() throws {
        if kernel, !interfaces.isEmpty || !require.isEmpty || probe || watch {
            throw ValidationError("--kernel is about the kernel alone")
        }
        if watch, !require.isEmpty || probe {
            throw ValidationError("--watch goes with neither --require nor --probe")
        }
        if interfaces.isEmpty, probe || !require.isEmpty {
            throw ValidationError("\(probe ? "--probe" : "--require") needs an interface")
        }
        if !require.isEmpty, requirements.isEmpty { throw ValidationError("--require names nothing") }
        for name in requirements where !InterfaceFeatures.names.contains(name) {
            throw ValidationError(
                "--require \(name): there is no such feature; there are "
                    + InterfaceFeatures.names.joined(separator: ", "))
        }
    }

    func run() throws {
        var isMet = true
        try options.perform { () throws(XDPError) in
            if kernel { return showKernel() }
            if watch { return try follow() }
            isMet = try show()
        }
        if !isMet { throw ExitCode(3) }
    }

    private func showKernel() {
        let report = KernelReport(KernelSurvey())
        if options.json { return JSONOutput.print(report) }
        for line in KernelText(report).lines { print(line) }
    }

    // MARK: - Interfaces

    /// Returns whether what is required is there.
    private func show() throws(XDPError) -> Bool {
        var found: [InterfaceFeatures] = []
        for name in interfaces {
            let interface = try Interface(named: name)
            found.append(try probe ? .probe(interface) : .read(of: interface))
        }
        if interfaces.isEmpty { found = try InterfaceFeatures.all() }
        let report = FeaturesReport(found, requiring: requirements)
        if options.json {
            JSONOutput.print(report)
        } else if let required = report.required {
            for line in RequirementText.lines(required) { print(line) }
        } else if interfaces.isEmpty {
            for line in FeaturesText(all: found).lines { print(line) }
        } else {
            print(found.map { FeaturesText(one: $0).lines.joined(separator: "\n") }.joined(separator: "\n\n"))
            if probe {
                print("\nA program was attached for the question; a card may have reset itself for it.")
            }
        }
        return report.isMet ?? true
    }

    // MARK: - Watching

    private func follow() throws(XDPError) {
        for name in interfaces { _ = try Interface(named: name) }
        var monitor = try FeatureMonitor()
        let known = monitor.interfaces.map(\.name)
        write(FeatureEventOutput(watching: interfaces.isEmpty ? known : interfaces))
        while true {
            for event in try monitor.next() {
                let output = FeatureEventOutput(event)
                if interfaces.isEmpty || output.names.contains(where: interfaces.contains) { write(output) }
            }
        }
    }

    /// At once, since the reader waits for it.
    private func write(_ output: FeatureEventOutput) {
        if options.json {
            JSONOutput.printLine(output)
        } else {
            print(Terminal.wrapped(output.text, indent: 4))
        }
        fflush(nil)
    }
}
