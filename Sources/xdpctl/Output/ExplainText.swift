// SPDX-License-Identifier: Apache-2.0

/// An explanation for people: where packets went, then what was found with evidence and remedy.
struct ExplainText {
    private let output: ExplainOutput
    private let withAll: Bool
    /// Where findings begin, behind their effect.
    private static let column = 8

    init(_ output: ExplainOutput, withAll: Bool) {
        self.output = output
        self.withAll = withAll
    }

    var lines: [String] {
        var lines = summary
        for finding in output.findings { lines += [""] + self.lines(finding) }
        let notes = output.notes.map { Terminal.wrapped("note: " + Terminal.clean($0), indent: 6) }
        return lines + [""] + rest + notes
    }

    private var summary: [String] {
        let tenths = Int((output.seconds * 10).rounded())
        let time = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        let name = Terminal.bold(Terminal.clean(output.interface))
        guard output.packets > 0 else {
            let isKnown = output.findings.contains { ["no-packets", "no-link"].contains($0.hypothesis) }
            return ["\(name): no packet \(isKnown ? "came" : "was counted") in \(time) s"]
        }
        let many = output.packets == 1 ? "packet" : "packets"
        var lines = ["\(name): of \(Number.grouped(output.packets)) \(many) in \(time) s"]
        let width = output.ways.map { Number.grouped($0.packets).count }.max() ?? 0
        for way in output.ways {
            let number = Number.grouped(way.packets)
            let head = "  " + String(repeating: " ", count: width - number.count) + number + "  "
            lines.append(
                head + Terminal.wrapped(Terminal.clean(way.text), indent: head.count, column: head.count))
        }
        return lines
    }

    private func lines(_ finding: ExplainOutput.Finding) -> [String] {
        let word =
            "  " + finding.effect + String(repeating: " ", count: Self.column - 2 - finding.effect.count)
        let mark = finding.effect == "loss" ? Terminal.bold(word) : word
        var lines = [
            mark + Terminal.wrapped(Terminal.clean(finding.what), indent: Self.column, column: Self.column)
        ]
        for line in finding.evidence {
            lines.append(
                Terminal.dim(
                    Terminal.paragraph(Terminal.clean(line), indent: Self.column + 4, column: Self.column + 2)
                ))
        }
        for remedy in finding.remedies {
            lines.append(
                Terminal.advice(Terminal.clean(remedy), indent: Self.column + 6, column: Self.column + 2))
        }
        return lines
    }

    private var rest: [String] {
        var lines: [String] = []
        let count = output.ruledOut.count
        let ruledOut = "\(count) possible cause\(count == 1 ? " is" : "s are") ruled out"
        if output.findings.isEmpty {
            lines.append(
                "Nothing wrong was found; \(ruledOut)\(withAll || count == 0 ? "." : " (--all shows why).")")
        } else if count > 0 {
            lines.append(ruledOut + (withAll ? ":" : " (--all shows why)."))
        }
        let others = (withAll ? output.ruledOut : []) + output.unknown
        let width = others.map(\.hypothesis.count).max() ?? 0
        func line(_ other: ExplainOutput.Other) -> String {
            let head =
                "  " + other.hypothesis + String(repeating: " ", count: width - other.hypothesis.count) + "  "
            return head
                + Terminal.wrapped(Terminal.clean(other.reason), indent: head.count, column: head.count)
        }
        if withAll { lines += output.ruledOut.map(line) }
        if !output.unknown.isEmpty {
            lines.append("\(output.unknown.count) cannot be told:")
            lines += output.unknown.map(line)
        }
        return lines
    }
}
