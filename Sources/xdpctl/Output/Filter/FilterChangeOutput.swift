// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// What a command that changes rules prints. Documentation/json.md describes the fields.
struct FilterChangeOutput: Encodable {
    struct SetOutput: Encodable {
        let name: String
        let outcome: String
        let elements: Int?
    }

    let format = 1
    let outcome: String
    let interface: String
    let filter: String
    let dryRun: Bool
    let mode: String
    let fellBackToGeneric: Bool
    let change: UInt64
    let retries: Int
    let members: [ChangeOutput.MemberOutput]
    let added: [String]
    let removed: [String]
    let kept: Int
    let reordered: Bool
    let sets: [SetOutput]
    /// Seconds until the old rules come back.
    let confirmWithinSeconds: UInt64?
    let warnings: [FailureReport.FindingOutput]
    let notes: [String]
    let checks: [CheckOutput]

    init(_ report: FilterReport, warnings: [Finding] = []) {
        let change = ChangeOutput(report.change)
        outcome = change.outcome
        interface = change.interface
        filter = report.name
        dryRun = report.isDryRun
        mode = change.mode
        fellBackToGeneric = change.fellBackToGeneric
        self.change = change.change
        retries = change.retries
        members = change.members
        added = report.added
        removed = report.removed
        kept = report.kept
        reordered = report.isReordered
        sets = report.sets.map {
            SetOutput(name: $0.name, outcome: $0.outcome.rawValue, elements: $0.elements)
        }
        confirmWithinSeconds = report.gate?.remaining
        self.warnings = (report.warnings + warnings).map(FailureReport.FindingOutput.init)
        notes = change.notes
        checks = change.checks
    }

    /// Prints it as asked for.
    func print(_ options: GlobalOptions) {
        if options.json {
            JSONOutput.print(self)
            return
        }
        for warning in warnings {
            let place = ([warning.file] + [warning.line, warning.column].compactMap { $0 }.map(String.init))
                .joined(separator: ":")
            Terminal.error(Terminal.wrapped("\(place): warning: \(warning.what)", indent: 4))
            if let remedy = warning.remedy { Terminal.error(Terminal.paragraph(remedy, indent: 4)) }
        }
        Swift.print(Terminal.wrapped(title, indent: 4))
        list(removed, as: "remove")
        list(added, as: "add   ")
        if kept > 0, !(added.isEmpty && removed.isEmpty) || reordered {
            Swift.print(
                "  keep    \(kept) \(kept == 1 ? "rule" : "rules")\(reordered ? ", in another order" : "")")
        }
        for set in sets where set.outcome != "kept" || outcome != "unchanged" {
            let count = set.elements.map { ", \(Number.grouped(UInt64($0))) elements" } ?? ""
            Swift.print("  set     \(set.name)  \(set.outcome)\(count)")
        }
        if fellBackToGeneric, outcome == "attached" {
            Swift.print("  the driver has no native mode; generic mode works but is much slower")
        }
        for check in checks {
            if check.severity == CheckFinding.Severity.error.rawValue {
                Terminal.error(check.text)
            } else {
                Swift.print(check.text)
            }
        }
        for note in notes { Swift.print("  " + Terminal.wrapped(note, indent: 4, column: 2)) }
        if let confirmWithinSeconds {
            Swift.print(
                Terminal.paragraph(
                    "the rules from before come back in \(confirmWithinSeconds) s unless you say "
                        + "`xdpctl filter confirm \(interface)`",
                    indent: 2))
        }
    }

    /// The first rules of many; `--json` and a dry run have all of them.
    private func list(_ rules: [String], as verb: String) {
        let shown = dryRun || rules.count <= 24 ? rules.count : 20
        for rule in rules.prefix(shown) { Swift.print("  \(verb)  \(rule)") }
        if shown < rules.count {
            Swift.print("  \(verb)  \(Number.grouped(UInt64(rules.count - shown))) more rules")
        }
    }

    private var title: String {
        let names = members.map(\.name).joined(separator: " → ")
        if dryRun { return "\(interface): would be \(names) (\(mode) mode); nothing was changed" }
        if outcome == "unchanged" { return "\(interface): nothing to change, \(names)" }
        return "\(interface): \(names) (\(mode) mode)"
    }
}
