// SPDX-License-Identifier: Apache-2.0

/// Writes what `doctor` found for people: by group, the worst first.
enum DoctorText {
    /// Where the text of a finding begins.
    private static let column = 11

    static func print(_ report: DoctorReport) {
        var group = ""
        for finding in report.findings {
            if finding.group != group {
                if !group.isEmpty { Swift.print("") }
                group = finding.group
                Swift.print(Terminal.bold(group))
            }
            print(finding)
        }
        if !report.findings.isEmpty { Swift.print("") }
        Swift.print(Terminal.wrapped(summary(report), indent: 0))
    }

    private static func print(_ finding: DoctorReport.FindingReport) {
        let word =
            finding.severity + String(repeating: " ", count: max(1, column - 2 - finding.severity.count))
        let mark = finding.severity == "error" ? Terminal.bold(word) : word
        let title = Terminal.clean("\(finding.subject): \(finding.what)")
        Swift.print("  " + mark + Terminal.wrapped(title, indent: column, column: column))
        for line in finding.evidence {
            Swift.print(
                Terminal.dim(Terminal.paragraph(Terminal.clean(line), indent: column + 2, column: column)))
        }
        if let consequence = finding.consequence {
            Swift.print(
                Terminal.paragraph("so: " + Terminal.clean(consequence), indent: column + 4, column: column))
        }
        if let remedy = finding.remedy {
            Swift.print(
                Terminal.paragraph("do: " + Terminal.clean(remedy), indent: column + 4, column: column))
        }
    }

    private static func summary(_ report: DoctorReport) -> String {
        let counts = [
            number(report.counts.error, "error"), number(report.counts.warning, "warning"),
            number(report.counts.note, "note"), "\(report.counts.fine) as they should be",
        ].compactMap { $0 }
        let isHidden = report.counts.fine > 0 && !report.findings.contains { $0.severity == "fine" }
        return "Linux \(Terminal.clean(report.kernel)) as a \(report.profile) machine: "
            + counts.joined(separator: ", ") + (isHidden ? " (--all shows them)" : "")
    }

    private static func number(_ count: Int, _ word: String) -> String? {
        count == 0 ? nil : "\(count) \(word)\(count == 1 ? "" : "s")"
    }
}
