// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// What `filter confirm` and `filter revert` print. Documentation/json.md describes the fields.
struct FilterSettlementOutput: Encodable {
    let format = 1
    let settlement: String
    let outcome: String
    let interface: String
    let filter: String
    let mode: String
    let change: UInt64
    let retries: Int
    let members: [ChangeOutput.MemberOutput]
    let notes: [String]

    init(_ settlement: FilterEditor.Settlement, _ name: String, _ report: ChangeReport) {
        self.settlement = settlement.rawValue
        let change = ChangeOutput(report)
        outcome = change.outcome
        interface = change.interface
        filter = name
        mode = change.mode
        self.change = change.change
        retries = change.retries
        members = change.members
        notes = change.notes
    }

    /// Prints it as asked for.
    func print(_ options: GlobalOptions) {
        if options.json {
            JSONOutput.print(self)
            return
        }
        let names = members.isEmpty ? "nothing runs there" : members.map(\.name).joined(separator: " → ")
        let what =
            switch settlement {
            case "confirmed": "the new rules of \(filter) stay"
            case "expired": "the time was over already, the rules from before are alone again"
            default: "the rules from before are back"
            }
        Swift.print(Terminal.wrapped("\(interface): \(what): \(names)", indent: 4))
        for note in notes { Swift.print("  " + Terminal.wrapped(note, indent: 4, column: 2)) }
    }
}
