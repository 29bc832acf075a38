// SPDX-License-Identifier: Apache-2.0
import Filter

/// Writes for people what `filter test` found, on 80 columns.
struct FilterTestText {
    /// The rule file, as it was named.
    let file: String

    /// A packet in words: what becomes of it, and below what decided.
    func lines(of packet: FilterTestOutput.PacketOutput) -> [String] {
        let verdict = (packet.redirectedTo.map { "redirect to \($0)" } ?? packet.verdict)
        let mark = packet.expected == false ? "  (not as expected)" : ""
        var lines = ["\(Terminal.bold(verdict))  \(Terminal.clean(packet.packet))\(mark)"]
        let rules = packet.matched.dropLast() + [packet.rule]
        for (place, rule) in rules.enumerated() {
            let isLast = place == rules.count - 1
            let start = "    \(isLast ? "by" : "met") \(name(of: rule))"
            lines.append(start + ": " + Terminal.shortened(rule.text, to: max(80 - start.count - 2, 40)))
        }
        return lines
    }

    /// A packet of a file, in one line.
    func line(of packet: FilterTestOutput.PacketOutput) -> String {
        let number = packet.number.map { "\($0)" } ?? ""
        let verdict = packet.verdict.padding(to: 8)
        let met = packet.matched.dropLast().map(name)
        let also = met.isEmpty ? "" : "  (met \(met.joined(separator: ", ")))"
        let mark = packet.expected == false ? "  (not as expected)" : ""
        return "\(number.padding(to: 6)) \(verdict) \(name(of: packet.rule))  \(packet.packet)\(also)\(mark)"
    }

    /// What the rules saw of files.
    func summary(_ output: FilterTestOutput) -> [String] {
        var lines = output.captures.map { capture in
            "\(capture.file): \(amount(capture.packets, capture.bytes))"
                + (capture.isCutShort ? "; the file ends within a packet" : "")
        }
        lines.append("")
        var table = TextTable([.right, .right, .right, .left])
        table.add("PACKETS", "BYTES", "DECIDED", "RULE")
        for tally in output.tallies {
            table.add(
                Number.grouped(tally.packets), Number.grouped(tally.bytes), Number.grouped(tally.decided),
                "\(name(of: tally.rule)): \(tally.rule.text)")
        }
        let rows = table.lines(indent: 0).map { Terminal.shortened($0, to: 80) }
        lines += rows.prefix(1).map(Terminal.bold) + rows.dropFirst()
        lines.append("")
        lines += output.verdicts.map { verdict in
            "\(verdict.verdict): \(amount(verdict.packets, verdict.bytes))"
        }
        return lines
    }

    private func amount(_ packets: UInt64, _ bytes: UInt64) -> String {
        "\(Number.grouped(packets)) packet\(packets == 1 ? "" : "s"), \(Number.grouped(bytes)) bytes"
    }

    /// `edge.xdp:7`; where the rules have no lines, `rule 3`.
    private func name(of rule: FilterTestOutput.RuleOutput) -> String {
        guard let number = rule.number else { return "policy" }
        if let line = rule.line { return "\(file):\(line)" }
        return rule.group.map { "rule \(number) of \($0)" } ?? "rule \(number)"
    }
}
