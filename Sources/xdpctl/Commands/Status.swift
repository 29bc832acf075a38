// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what runs on the interfaces, member by member.")

    @Argument(help: "The interface; all of them if none is named.") var interface: String?
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let interfaces: [Interface]
            if let interface {
                interfaces = [try Interface(named: interface)]
            } else {
                interfaces = try Interface.all()
            }
            var shown: [InterfaceStatus] = []
            for interface in interfaces { shown.append(try InterfaceStatus(interface)) }
            let report = StatusReport(interfaces: shown)
            if options.json {
                JSONOutput.print(report)
            } else {
                StatusText.print(report)
            }
        }
    }
}
