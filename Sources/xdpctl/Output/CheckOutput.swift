// SPDX-License-Identifier: Apache-2.0
import XDP

/// What a check found, as `--json` prints it. Documentation/json.md describes the fields.
struct CheckOutput: Encodable {
    let rule: String
    let severity: String
    let subject: String
    let what: String
    let evidence: [String]
    let consequence: String?
    let remedy: String?

    init(_ finding: CheckFinding) {
        rule = finding.rule
        severity = finding.severity.rawValue
        subject = finding.subject
        what = finding.what
        evidence = finding.evidence
        consequence = finding.consequence
        remedy = finding.remedy
    }

    /// For people: the finding, then in lines of their own why it is believed, what follows and what to do.
    var text: String {
        let head = "  \(severity.padded(to: 8))\(rule.padded(to: max(rule.count + 2, 17)))"
        var lines = [head + Terminal.wrapped(what, indent: 10, column: head.count)]
        for line in evidence { lines.append(Terminal.paragraph(line, indent: 12, column: 10)) }
        if let consequence { lines.append(Terminal.paragraph("so: \(consequence)", indent: 14, column: 10)) }
        if let remedy { lines.append(Terminal.paragraph("do: \(remedy)", indent: 14, column: 10)) }
        return lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
