// SPDX-License-Identifier: Apache-2.0
import XDP

/// What a command that changes a chain prints. Documentation/json.md describes the fields.
struct ChangeOutput: Encodable {
    struct MemberOutput: Encodable {
        let name: String
        let composition: String
        let reason: String?
    }

    let format = 1
    let outcome: String
    let interface: String
    let mode: String
    let fellBackToGeneric: Bool
    let change: UInt64
    let retries: Int
    let members: [MemberOutput]
    let notes: [String]
    let checks: [CheckOutput]

    init(_ report: ChangeReport) {
        outcome = report.outcome.rawValue
        interface = report.interface
        mode = report.mode.rawValue
        fellBackToGeneric = report.fellBack
        change = report.generation
        retries = report.retries
        members = report.chain.members.map { member in
            MemberOutput(
                name: member.name, composition: member.composition.mode.rawValue,
                reason: member.composition.reason.isEmpty ? nil : member.composition.reason)
        }
        notes = report.notes
        checks = report.checks.map(CheckOutput.init)
    }

    /// Prints it as asked for.
    func print(_ options: GlobalOptions) {
        if options.json {
            JSONOutput.print(self)
            return
        }
        let names = members.isEmpty ? "no members" : members.map(\.name).joined(separator: " → ")
        switch outcome {
        case "detached": Swift.print("\(interface): the chain is gone, nothing runs there")
        case "released": Swift.print("\(interface): runs again what was adopted, as before (\(mode) mode)")
        case "unchanged": Swift.print("\(interface): nothing to change, \(names)")
        default: Swift.print(Terminal.wrapped("\(interface): \(names) (\(mode) mode)", indent: 4))
        }
        if fellBackToGeneric, outcome == "attached" {
            Swift.print("  the driver has no native mode; generic mode works but is much slower")
        }
        for check in checks {
            // It was made all the same: said where errors are looked for.
            if check.severity == CheckFinding.Severity.error.rawValue {
                Terminal.error(check.text)
            } else {
                Swift.print(check.text)
            }
        }
        for note in notes { Swift.print("  " + Terminal.wrapped(note, indent: 4, column: 2)) }
    }
}
