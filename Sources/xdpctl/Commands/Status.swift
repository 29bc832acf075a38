// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what runs on the interfaces, member by member.",
        discussion: """
            Counters are of packets and bytes since the member was loaded; THEN says where packets with that \
            verdict go.

            Examples:
              xdpctl status
              xdpctl status eth0
              xdpctl status --all-netns
              xdpctl status --json eth0 | jq .interfaces[0].chain.members[].name
            """)

    @Argument(help: "The interface; all of them if none is named.", completion: .interfaces)
    var interface: String?
    @Flag(help: "Look into every network namespace of this machine that can be found.")
    var allNetns = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if allNetns, options.netns != nil {
            throw ValidationError("--netns and --all-netns exclude each other")
        }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard allNetns else { return try Self.show(interface, asJSON: options.json) }
            let report = try NamespacesReport(interface: interface)
            if options.json { return JSONOutput.print(report) }
            StatusText.print(report)
        }
    }

    private static func show(_ interface: String?, asJSON: Bool) throws(XDPError) {
        let interfaces: [Interface]
        if let interface {
            interfaces = [try Interface(named: interface)]
        } else {
            interfaces = try Interface.all()
        }
        var report = try StatusReport(interfaces)
        if interface == nil { report.lostChains = LostChain.all().map { LostChainStatus($0) } }
        if asJSON {
            JSONOutput.print(report)
        } else {
            StatusText.print(report)
        }
    }

    /// Answers `status`, `status IFACE` and the same with `--json`: what people repeat and scripts poll.
    ///
    /// The parser of arguments takes longer to set itself up than all of the answer. Whatever is not as
    /// plain as this, and whatever fails, is left to it.
    static func isAnswered(_ arguments: some Collection<String>) -> Bool {
        guard arguments.first == "status" else { return false }
        let rest = arguments.dropFirst().filter { $0 != "--json" }
        guard rest.count <= 1, !(rest.first?.hasPrefix("-") ?? false) else { return false }
        do throws(XDPError) {
            try show(rest.first, asJSON: rest.count < arguments.count - 1)
            return true
        } catch {
            return false
        }
    }
}
