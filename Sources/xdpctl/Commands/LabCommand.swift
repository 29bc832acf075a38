// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import XDP

struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "A safe place to try things: two network namespaces and a veth pair.",
        discussion: """
            Chains go on eth0 (192.0.2.1) in the namespace xdplab: `xdpctl load --netns xdplab eth0 …`. \
            Packets come from wire0 (192.0.2.2) in xdplab-peer.
            """,
        subcommands: [LabUp.self, LabDown.self, LabExecute.self, LabSend.self, LabStatus.self])
}

/// Which lab.
struct LabOptions: ParsableArguments {
    @Option(help: "The lab, if there are several.") var name = "xdplab"

    var lab: Lab { Lab(name: name) }
}

/// What `lab up` and `lab down` print.
private struct LabOutput: Encodable {
    let format = 1
    let lab: String
    let isUp: Bool
}

struct LabUp: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "up", abstract: "Make the lab.")

    @OptionGroup var which: LabOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            try which.lab.up()
            if options.json { return JSONOutput.print(LabOutput(lab: which.name, isUp: true)) }
            print("lab \(which.name) is up")
            print("  eth0  \(Lab.address) in namespace \(which.name): load chains here")
            print("  wire0 \(Lab.peerAddress) in namespace \(which.lab.peerName): packets come from here")
        }
    }
}

struct LabDown: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Take the lab away, with everything in it.")

    @OptionGroup var which: LabOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            try which.lab.down()
            if options.json { return JSONOutput.print(LabOutput(lab: which.name, isUp: false)) }
            print("lab \(which.name) is gone")
        }
    }
}

struct LabStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what runs in the lab.")

    @OptionGroup var which: LabOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard try which.lab.isUp() else {
                if options.json { return JSONOutput.print(LabOutput(lab: which.name, isUp: false)) }
                print("lab \(which.name) is not up; `xdpctl lab up` makes it")
                return
            }
            try which.lab.enter(peer: false)
            let report = try StatusReport([Interface(named: Lab.interface)])
            if options.json { return JSONOutput.print(report) }
            StatusText.print(report)
        }
    }
}

struct LabExecute: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command inside the lab.",
        discussion: "As `ip netns exec`, but the BPF file system stays in sight.")

    @Flag(help: "In the namespace that packets come from.") var peer = false
    @OptionGroup var which: LabOptions
    @OptionGroup(title: "General") var options: GlobalOptions
    @Argument(parsing: .postTerminator, help: "The command, behind --.") var command: [String] = []

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard let program = command.first else {
                throw GlobalOptions.invalid(
                    "Nothing can be run", because: "no command is named",
                    remedy: "As in `xdpctl lab exec -- ip link`")
            }
            try which.lab.enter(peer: peer)
            var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
            arguments.append(nil)
            execvp(program, &arguments)
            let why = String(cString: strerror(errno))
            for argument in arguments { free(argument) }
            throw XDPError(.failed, "\(program) cannot be run", because: why)
        }
    }
}
