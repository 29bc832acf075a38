// SPDX-License-Identifier: Apache-2.0

/// Writes a status report for people, on 80 columns.
enum StatusText {
    static func print(_ report: StatusReport) {
        var isFirst = true
        for interface in report.interfaces where interface.state != "none" {
            if !isFirst { Swift.print("") }
            isFirst = false
            print(interface)
        }
        let idle = report.interfaces.filter { $0.state == "none" }.map(\.name)
        guard !idle.isEmpty else { return }
        if !isFirst { Swift.print("") }
        Swift.print(Terminal.wrapped("no XDP program on \(idle.joined(separator: ", "))", indent: 4))
    }

    private static func print(_ interface: InterfaceStatus) {
        let mode = interface.mode ?? ""
        if let chain = interface.chain {
            print(chain, on: interface.name, mode: mode)
        } else if let program = interface.program {
            let name = program.name.isEmpty ? "without a name" : program.name
            let holder = program.linkID.map { "held by link \($0)" } ?? "attached by netlink"
            Swift.print(
                "\(Terminal.bold(interface.name))  \(mode) mode, one program that xdpctl did not load")
            Swift.print("  program \(program.id) \(name), tag \(program.tag), \(holder)")
            if let reason = interface.unreadable {
                Swift.print("  a chain that cannot be read: \(reason)")
            } else {
                let way =
                    program.linkID == nil
                    ? "`ip link set dev \(interface.name) xdp off`"
                    : "ending the process or pin that holds the link"
                Swift.print(
                    "  "
                        + Terminal.wrapped(
                            "to join: take it off by \(way), then `xdpctl load \(interface.name) OBJECT`",
                            indent: 4))
            }
        }
    }

    private static func print(_ chain: ChainStatus, on name: String, mode: String) {
        let count = chain.members.count
        let fallback = chain.fellBackToGeneric ? " (the driver has no native mode)" : ""
        if chain.closing {
            Swift.print("\(Terminal.bold(name))  an empty chain that is about to be taken off")
            return
        }
        Swift.print(
            "\(Terminal.bold(name))  \(mode) mode\(fallback), \(count) member\(count == 1 ? "" : "s"), "
                + "program \(chain.programID), change \(chain.change)")
        var table = TextTable([.left, .left, .right, .right, .left])
        table.add(
            "MEMBER", "VERDICT", chain.counters == "off" ? "" : "PACKETS",
            chain.counters == "bytes" ? "BYTES" : "", "THEN")
        for member in chain.members {
            var label = member.name
            for verdict in member.verdicts where isWorthShowing(verdict) {
                let bytes = chain.counters == "bytes" ? verdict.bytes.map(Number.grouped) : nil
                table.add(
                    label, verdict.verdict, verdict.packets.map(Number.grouped) ?? "", bytes ?? "",
                    verdict.leadsTo == "end" ? "end" : "→ \(verdict.leadsTo)")
                label = ""
            }
            if let unknown = member.unknownVerdicts, unknown > 0 {
                table.add(label, "(no verdict)", Number.grouped(unknown), "", "end")
            }
        }
        for line in table.lines(indent: 2) { Swift.print(line) }
        Swift.print("")
        var sources = TextTable([.left, .left, .left])
        for member in chain.members {
            sources.add(member.name, member.composition, "\(member.program) of \(member.origin)")
        }
        for (member, line) in zip(chain.members, sources.lines(indent: 2)) {
            Swift.print(line)
            if let reason = member.reason { Swift.print(Terminal.paragraph(reason, indent: 6)) }
        }
        Swift.print(Terminal.dim("  another program joins with `xdpctl load \(name) OBJECT`"))
    }

    /// A verdict that nobody gave and that ends the chain as usual says nothing.
    private static func isWorthShowing(_ verdict: MemberStatus.VerdictStatus) -> Bool {
        (verdict.packets ?? 0) > 0 || verdict.verdict == "pass" || verdict.edge != "end"
    }
}
