// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Configuration
import XDP

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print what runs as a file for `xdpctl apply`.",
        discussion: """
            The file names the objects that the members were loaded from, with their SHA-256. With --json it is \
            JSON with the same keys, which `apply` takes as well.

            Examples:
              xdpctl export eth0 > eth0.yaml
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String?
    @Flag(help: "All interfaces that have a chain.") var all = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard all == (interface == nil) else {
                throw GlobalOptions.invalid(
                    "It is not clear what to export", because: "either an interface or --all has to be named")
            }
            var export = ChainExport()
            if let interface {
                try add(try Interface(named: interface), to: &export)
            } else {
                try addAll(to: &export)
            }
            if options.json { return JSONOutput.print(export) }
            print(export.yaml, terminator: "")
        }
    }

    private func add(_ interface: Interface, to export: inout ChainExport) throws(XDPError) {
        switch try interface.occupant().withoutLoan {
        case .none: export.add(interface.name, nil)
        case .chain(let active): export.add(interface.name, active)
        case .foreign, .unreadable:
            throw XDPError(
                .refused, "\(interface.name) cannot be exported",
                because: "it runs a program that is not a chain of this xdpctl",
                remedy: "`xdpctl status \(interface.name)` says what it is")
        }
    }

    private func addAll(to export: inout ChainExport) throws(XDPError) {
        for interface in try Interface.all() {
            switch try interface.occupant().withoutLoan {
            case .none: continue
            case .chain(let active): export.add(interface.name, active)
            case .foreign, .unreadable:
                // Standard output is the file.
                Terminal.error(
                    "xdpctl: \(interface.name) is left out: what runs there is not a chain of xdpctl")
            }
        }
    }
}
