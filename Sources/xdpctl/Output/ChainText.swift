// SPDX-License-Identifier: Apache-2.0

/// Writes what a chain is and does, on 80 columns.
struct ChainText {
    private let chain: ChainStatus
    private let name: String
    private let mode: String

    init(_ chain: ChainStatus, on interface: String, mode: String) {
        self.chain = chain
        name = interface
        self.mode = mode
    }

    var lines: [String] {
        if chain.closing {
            return ["\(Terminal.bold(name))  an empty chain that is about to be taken off"]
        }
        var lines = [title] + (chain.members.isEmpty ? [] : verdicts + [""] + members)
        if !chain.captures.isEmpty || chain.loan != nil { lines += captures }
        if chain.heldBy == "netlink" {
            lines.append(
                Terminal.paragraph(
                    "it is attached by netlink: whoever may configure \(name) can take it off by accident",
                    indent: 2))
        }
        lines.append(Terminal.dim("  another program joins with `xdpctl load \(name) OBJECT`"))
        return lines
    }

    private var title: String {
        let count = chain.members.count
        let fallback = chain.fellBackToGeneric ? " (the driver has no native mode)" : ""
        let programs =
            chain.segments == 1
            ? "program \(chain.programID)" : "program \(chain.programID) of \(chain.segments)"
        return "\(Terminal.bold(name))  \(mode) mode\(fallback), \(count) member\(count == 1 ? "" : "s"), "
            + "\(programs), change \(chain.change)"
    }

    private var captures: [String] {
        var lines = chain.members.isEmpty ? [] : [""]
        lines += chain.captures.map { Terminal.paragraph($0.text, indent: 2) }
        switch chain.loan {
        case "made":
            lines.append(
                Terminal.paragraph(
                    "nothing is loaded: the chain passes every packet, and goes with the last capture",
                    indent: 2))
        case "adopted":
            lines.append(
                Terminal.paragraph(
                    "\(chain.members.first?.name ?? "the program") is a member for captures only, and is given back with the "
                        + "last one",
                    indent: 2))
        default: break
        }
        return lines
    }

    // MARK: Verdicts

    private var verdicts: [String] {
        var table = TextTable([.left, .left, .right, .right, .left])
        table.add(
            "MEMBER", "VERDICT", chain.counters == "off" ? "" : "PACKETS",
            chain.counters == "bytes" ? "BYTES" : "", "THEN")
        for member in chain.members {
            var label = member.name
            for verdict in member.verdicts where Self.isWorthShowing(verdict) {
                let bytes = chain.counters == "bytes" ? verdict.bytes.map(Number.grouped) : nil
                table.add(
                    label, verdict.verdict, verdict.packets.map(Number.grouped) ?? "", bytes ?? "",
                    verdict.leadsTo == "end" ? "end" : "→ \(verdict.leadsTo)")
                label = ""
            }
            if let unknown = member.unknownVerdicts, unknown > 0 {
                table.add(label, "(no verdict)", Number.grouped(unknown), "", "end")
                label = ""
            }
            if let missed = member.missedPackets, missed > 0 {
                table.add(label, "(missed)", Number.grouped(missed), "", "as \(chain.fallback)")
            }
        }
        var lines = table.lines(indent: 2)
        if chain.members.contains(where: { ($0.missedPackets ?? 0) > 0 }) {
            lines.append(
                Terminal.paragraph(
                    "(missed): packets that had used up their 33 tail calls and got the fallback verdict, "
                        + "\(chain.fallback)",
                    indent: 2))
        }
        return lines
    }

    /// A verdict that nobody gave and that ends the chain as usual says nothing.
    private static func isWorthShowing(_ verdict: MemberStatus.VerdictStatus) -> Bool {
        (verdict.packets ?? 0) > 0 || verdict.verdict == "pass" || verdict.edge != "end"
    }

    // MARK: Members

    private var members: [String] {
        var sources = TextTable([.left, .left, .left])
        for member in chain.members {
            let segment = chain.segments > 1 && member.composition != "unreachable"
            sources.add(
                member.name, member.composition + (segment ? " \(member.segment + 1)" : ""),
                Self.source(member))
        }
        var lines: [String] = []
        for (member, line) in zip(chain.members, sources.lines(indent: 2)) {
            lines.append(line)
            if let program = member.adopted {
                lines += remarks(on: program).map { Terminal.paragraph($0, indent: 6) }
            } else if let reason = member.reason {
                lines.append(Terminal.paragraph(reason, indent: 6))
            }
            if let own = member.ownProgram, own.programID == nil {
                lines.append(
                    Terminal.paragraph(
                        "its program is gone, packets get the fallback verdict, \(chain.fallback): somebody "
                            + "removed the pin of map \(own.arrayID); unload and load it again",
                        indent: 6))
            }
        }
        return lines
    }

    private static func source(_ member: MemberStatus) -> String {
        if let filter = member.filter {
            let rules = "filter of \(filter.rules) rule\(filter.rules == 1 ? "" : "s")"
            return filter.path.map { "\(rules), \(Terminal.clean($0))" } ?? rules
        }
        if let gate = member.gate {
            return gate.open
                ? "leads to the new rules for another \(gate.secondsLeft) s, unless they are confirmed"
                : "leads to the rules from before: the new ones were not confirmed"
        }
        guard member.composition == "adopted" else { return "\(member.program) of \(member.origin)" }
        guard let own = member.ownProgram, let id = own.programID else { return "program of somebody else" }
        guard let adopted = member.adopted else { return "program \(id) of somebody else" }
        return "program \(id) \(Terminal.clean(adopted.name)), tag \(adopted.tag)"
    }

    /// Who loaded it, who holds it, and what that means for the chain.
    private func remarks(on program: ProgramStatus) -> [String] {
        var lines = ProgramText.origin(program)
        guard let link = program.linkID, link == chain.linkID else {
            if program.linkID != nil {
                lines.append("its owner's link no longer holds this interface")
            }
            return lines
        }
        let owners = program.processes.filter { $0.holds.contains("link") }.map {
            "\($0.pid) (\(Terminal.clean($0.command)))"
        }
        let pins = program.pins.filter { $0.holds == "link" }.map { Terminal.clean($0.path) }
        let holders = owners.map { "process \($0)" } + pins
        if holders.isEmpty {
            let someone =
                program.hiddenProcesses > 0 ? "no process that can be looked into holds" : "nobody holds"
            lines.append(
                "\(someone) link \(link) any more: its owner is gone; xdpctl's pin keeps it, and the chain")
        } else {
            lines.append(
                "link \(link) belongs to \(holders.joined(separator: ", ")): if that updates it, the new program "
                    + "takes the chain's place; if it detaches it, the chain is off; if it only ends, the chain stays"
            )
        }
        return lines
    }
}
