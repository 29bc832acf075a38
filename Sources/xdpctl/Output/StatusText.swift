// SPDX-License-Identifier: Apache-2.0

/// Writes a status report for people, on 80 columns.
enum StatusText {
    static func print(_ report: StatusReport) {
        print(report.interfaces)
    }

    /// Namespaces with programs one after the other, those without in a line.
    static func print(_ report: NamespacesReport) {
        for namespace in report.namespaces where namespace.hasPrograms {
            Swift.print(Terminal.bold(Terminal.wrapped("namespace \(namespace.title)", indent: 4)))
            print(namespace.interfaces)
            Swift.print("")
        }
        let idle = report.namespaces.filter { !$0.hasPrograms }.map(\.title)
        if !idle.isEmpty {
            Swift.print(
                Terminal.wrapped("no XDP program in namespace \(idle.joined(separator: ", "))", indent: 4))
        }
        if report.hiddenProcesses > 0 {
            Swift.print(
                Terminal.wrapped(
                    ProgramText.hidden(report.hiddenProcesses) + "; a namespace may be missing", indent: 4))
        }
        for namespace in report.namespaces {
            guard let error = namespace.error else { continue }
            Swift.print(Terminal.wrapped("namespace \(namespace.title): \(error)", indent: 4))
        }
    }

    private static func print(_ interfaces: [InterfaceStatus]) {
        var isFirst = true
        for interface in interfaces where interface.state != "none" {
            if !isFirst { Swift.print("") }
            isFirst = false
            print(interface)
        }
        let idle = interfaces.filter { $0.state == "none" }.map(\.name)
        guard !idle.isEmpty else { return }
        if !isFirst { Swift.print("") }
        Swift.print(Terminal.wrapped("no XDP program on \(idle.joined(separator: ", "))", indent: 4))
    }

    private static func print(_ interface: InterfaceStatus) {
        let mode = interface.mode ?? ""
        if let chain = interface.chain {
            print(chain, on: interface.name, mode: mode)
        } else if let program = interface.program {
            Swift.print(
                "\(Terminal.bold(interface.name))  \(mode) mode, one program that xdpctl did not load")
            for line in ProgramText.lines(program) { Swift.print(line) }
            if let reason = interface.unreadable {
                Swift.print("  a chain that cannot be read: \(reason)")
            } else {
                Swift.print(
                    "  " + Terminal.wrapped(AdoptionHint.text(interface.name), indent: 4, column: 2))
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
