// SPDX-License-Identifier: Apache-2.0
import XDP

/// A rule as every packet meets it: jumps are followed, and their match is part of this one's.
struct FlatRule: Sendable {
    enum Action: Hashable, Sendable {
        case decide(Verdict)
        /// The place in the devmap.
        case redirect(Int)
        case limit(Limit)
        case log(LogSettings)
        case count
    }

    var id: RuleID
    var match: Match
    var action: Action
    /// The number of the counter through all pages plus one; 0: counts nowhere.
    var counter: UInt32
    /// For reports and buckets.
    var number: UInt32
    var place: SourcePlace

    var decides: Bool {
        switch action {
        case .decide, .redirect: true
        case .limit, .log, .count: false
        }
    }

    var kind: RuleRecord.Kind {
        switch action {
        case .decide: .decide
        case .redirect: .redirect
        case .limit: .limit
        case .log: .log
        case .count: .count
        }
    }

    /// The verdict that it gives, if it gives one.
    var verdict: Verdict? {
        switch action {
        case .decide(let verdict): verdict
        case .redirect: .redirect
        case .limit(let limit): limit.excess
        case .log, .count: nil
        }
    }

    /// As a message names it: `rule 3 (line 12)`.
    var name: String { id.name(at: place) }

    /// What the action does, for the lines that the verifier quotes.
    var summary: String {
        switch action {
        case .decide(let verdict): "\(verdict)"
        case .redirect: "redirect"
        case .limit: "limit"
        case .log: "log"
        case .count: "count"
        }
    }

    /// The first 16 bytes of the ``RuleRecord``.
    func head(before position: Int = 0) -> [UInt8] {
        var place: UInt16 = 0
        if case .redirect(let device) = action { place = UInt16(truncatingIfNeeded: device) }
        return [kind.rawValue, UInt8(truncatingIfNeeded: verdict?.rawValue ?? 0)] + place.hostBytes
            + counter.hostBytes + number.hostBytes + UInt32(truncatingIfNeeded: position).hostBytes
    }

    /// The whole ``RuleRecord``.
    func record(before position: Int) -> [UInt8] {
        var bytes = head(before: position)
        switch action {
        case .limit(let limit): bytes += LimitParameters(limit).bytes
        case .log(let settings): bytes += LogParameters(settings).bytes
        case .decide, .redirect, .count: break
        }
        return bytes + [UInt8](repeating: 0, count: max(RuleRecord.size - bytes.count, 0))
    }
}

extension RuleID {
    /// As a message names it.
    func name(at place: SourcePlace) -> String {
        let line = place.line > 0 ? " (line \(place.line))" : ""
        switch self {
        case .policy: return "the policy"
        case .rule(nil, let index): return "rule \(index + 1)\(line)"
        case .rule(let group?, let index): return "rule \(index + 1) of group \(group)\(line)"
        }
    }
}
