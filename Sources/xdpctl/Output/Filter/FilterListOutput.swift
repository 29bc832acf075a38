// SPDX-License-Identifier: Apache-2.0
import Filter
import FoundationEssentials
import XDP

/// What `filter list` prints. Documentation/json.md describes the fields.
struct FilterListOutput: Encodable {
    /// What is asked for beside the rules.
    struct Parts {
        var counters = false
        var numbers = false
        var elements = false
    }

    struct RuleOutput: Encodable {
        let group: String?
        let number: Int
        let rule: String
        let packets: UInt64?
        let bytes: UInt64?
    }

    struct SetOutput: Encodable {
        let name: String
        let kinds: [String]
        let file: String?
        let timeoutSeconds: UInt64?
        let count: Int
        let elements: [String]?
    }

    struct PolicyOutput: Encodable {
        let verdict: String
        let packets: UInt64?
        let bytes: UInt64?
    }

    let format = 1
    let interface: String
    let filter: String
    let path: String?
    let appliedAt: String
    /// Seconds for which new rules hold unless they are confirmed.
    let confirmWithinSeconds: UInt64?
    let sets: [SetOutput]
    let rules: [RuleOutput]
    let policy: PolicyOutput
    /// The rule file.
    let text: String

    init(_ live: LiveFilter, on interface: String, shows parts: Parts) throws(XDPError) {
        self.interface = interface
        filter = live.name
        path = live.record.path.isEmpty ? nil : live.record.path
        appliedAt = Date(timeIntervalSince1970: Double(live.record.time)).formatted(.iso8601)
        confirmWithinSeconds = live.gate.flatMap { $0.isOpen ? $0.remaining : nil }
        let counted = try live.counted()
        let rows = live.rows(counted)
        rules = rows.map {
            RuleOutput(
                group: $0.group, number: $0.number, rule: $0.rule.text, packets: $0.counter?.packets,
                bytes: $0.counter?.bytes)
        }
        let policyCounter = live.policyCounter(counted)
        policy = PolicyOutput(
            verdict: live.rules.policy == .aborted ? "abort" : live.rules.policy.description,
            packets: policyCounter?.packets, bytes: policyCounter?.bytes)

        var shown = live.rules
        var sets: [SetOutput] = []
        for place in shown.sets.indices {
            let set = shown.sets[place]
            let store = try live.store(ofSet: set.name)
            var elements: [SetElement]?
            if parts.elements {
                elements = try store.declarableElements()
                shown.sets[place].elements = elements ?? []
                shown.sets[place].file = nil
            }
            let count: Int
            if let elements { count = elements.count } else { count = try store.count() }
            sets.append(
                SetOutput(
                    name: set.name, kinds: set.kinds.map(\.rawValue), file: set.file,
                    timeoutSeconds: set.timeout, count: count,
                    elements: elements?.map(\.text)))
        }
        self.sets = sets

        var listing = try FilterListing(shown)
        for set in sets where !parts.elements { listing.remark("\(set.count) elements", onSet: set.name) }
        for row in rows {
            var remarks: [String] = []
            if parts.numbers { remarks.append("\(row.number)") }
            if parts.counters, let counter = row.counter { remarks.append(Self.text(counter)) }
            if !remarks.isEmpty { listing.remark(remarks.joined(separator: ": "), on: row.id) }
        }
        if parts.counters, let policyCounter { listing.remark(Self.text(policyCounter), on: .policy) }
        var head = ""
        if let seconds = confirmWithinSeconds {
            head = "# not confirmed: in \(seconds) s the rules from before come back\n"
        }
        text = head + listing.text
    }

    private static func text(_ counter: Counter) -> String {
        "\(counter.packets) packets, \(counter.bytes) bytes"
    }
}
