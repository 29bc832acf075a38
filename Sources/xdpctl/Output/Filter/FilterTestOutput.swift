// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// What `filter test` prints. Documentation/json.md describes the fields.
struct FilterTestOutput: Encodable {
    /// A rule, or the policy.
    struct RuleOutput: Encodable {
        /// The group that it stands in; nil: the main rules.
        let group: String?
        /// From 1; nil for the policy.
        let number: Int?
        let line: Int?
        /// As it is listed.
        let text: String

        init(_ id: RuleID, of rules: RuleSet) {
            guard case .rule(let group, let index) = id, let rule = rules[id] else {
                (group, number, line) = (nil, nil, nil)
                text = "default \(rules.policy == .aborted ? "abort" : rules.policy.description)"
                return
            }
            self.group = group
            number = index + 1
            line = rule.place.line > 0 ? rule.place.line : nil
            text = rule.text
        }
    }

    /// One packet.
    struct PacketOutput: Encodable {
        /// As it was written, or what it is in words.
        let packet: String
        let file: String?
        /// In the file, from 1.
        let number: Int?
        let verdict: String
        let redirectedTo: String?
        let rule: RuleOutput
        /// All rules that matched, in order, the deciding one last.
        let matched: [RuleOutput]
        let expected: Bool?
    }

    /// A file of packets.
    struct CaptureOutput: Encodable {
        let file: String
        let packets: UInt64
        let bytes: UInt64
        /// The file ends within a packet.
        let isCutShort: Bool
    }

    /// What a rule saw.
    struct TallyOutput: Encodable {
        let rule: RuleOutput
        let packets: UInt64
        let bytes: UInt64
        /// Packets that it decided; the others went on.
        let decided: UInt64
    }

    /// How many packets got a verdict.
    struct VerdictOutput: Encodable {
        let verdict: String
        let packets: UInt64
        let bytes: UInt64
    }

    let format = 1
    let rules: String
    var packets: [PacketOutput] = []
    var captures: [CaptureOutput] = []
    var tallies: [TallyOutput] = []
    var verdicts: [VerdictOutput] = []
    let expect: String?
    var unexpected: UInt64?

    init(rules: String, expect: Verdict?) {
        self.rules = rules
        self.expect = expect?.description
    }

    /// Takes in what was counted, in the order of the rules.
    mutating func close(_ trial: PacketTrial) {
        let rules = trial.rules
        var ids = rules.rules.indices.map { RuleID.rule(group: nil, index: $0) }
        for group in rules.groups {
            ids += group.rules.indices.map { RuleID.rule(group: group.name, index: $0) }
        }
        tallies = (ids + [.policy]).compactMap { id in
            trial.matched[id].map {
                TallyOutput(
                    rule: RuleOutput(id, of: rules), packets: $0.packets, bytes: $0.bytes,
                    decided: trial.decided[id]?.packets ?? 0)
            }
        }
        verdicts = trial.verdicts.sorted { $0.key < $1.key }.map {
            VerdictOutput(verdict: $0.key.description, packets: $0.value.packets, bytes: $0.value.bytes)
        }
    }
}
