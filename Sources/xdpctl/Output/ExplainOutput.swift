// SPDX-License-Identifier: Apache-2.0
import Observe

/// What `explain` prints. Documentation/json.md describes the fields.
struct ExplainOutput: Encodable {
    /// Where some of the packets went.
    struct Way: Encodable {
        let way: String
        let member: String?
        let packets: UInt64
        let note: String?
        /// For people, without the number.
        let text: String
    }

    struct Finding: Encodable {
        let hypothesis: String
        let effect: String
        let packets: UInt64?
        let what: String
        let evidence: [String]
        let remedies: [String]
    }

    /// A hypothesis that does not apply, or cannot be told.
    struct Other: Encodable {
        let hypothesis: String
        let question: String
        let reason: String

        init(_ open: Explanation.Open) {
            hypothesis = open.hypothesis
            question = open.question
            reason = open.reason
        }
    }

    let format = 1
    let interface: String
    let seconds: Double
    let packets: UInt64
    let countedBy: String
    let ways: [Way]
    let findings: [Finding]
    let ruledOut: [Other]
    let unknown: [Other]
    let notes: [String]

    init(_ explanation: Explanation, commands: RemedyCommands) {
        interface = explanation.interface
        seconds = (explanation.seconds * 1000).rounded() / 1000
        packets = explanation.ledger.packets
        countedBy = explanation.ledger.source.rawValue
        ways = explanation.ledger.entries.map {
            Way(way: $0.way.rawValue, member: $0.member, packets: $0.packets, note: $0.note, text: $0.text)
        }
        findings = explanation.findings.map {
            Finding(
                hypothesis: $0.hypothesis, effect: $0.effect.rawValue, packets: $0.packets, what: $0.what,
                evidence: $0.evidence, remedies: $0.remedies.map(commands.complete))
        }
        ruledOut = explanation.ruledOut.map(Other.init)
        unknown = explanation.unknown.map(Other.init)
        notes = explanation.notes
    }
}
