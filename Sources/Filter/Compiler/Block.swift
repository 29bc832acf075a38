// SPDX-License-Identifier: Apache-2.0
import XDP

/// Rules that are looked for at once: a bit for each conjunction of a rule.
struct Block: Sendable {
    /// What the records of finals say beyond ``RuleRecord/Kind``.
    enum PrivateKind {
        /// Which rule acts stands in the slot of the run whose number is at offset 2.
        static let run: UInt8 = 6
        /// None of this block: the next one.
        static let next: UInt8 = 7
    }

    struct Final: Sendable {
        var conjunction: Conjunction
        /// 16 bytes.
        var record: [UInt8]
    }

    struct Other: Sendable {
        var conjunction: Conjunction
        var rule: FlatRule
        /// How many finals stand before it.
        var position: Int
        /// The same for the conjunctions of one rule, and for no others.
        var order: Int
    }

    var finals: [Final] = []
    var others: [Other] = []
    /// The names of the first and the last rule.
    var first = ""
    var last = ""
    var runs: [Int] = []
    var isLast = false

    static let finalLimit = 4096
    static let otherLimit = 64

    var words: Int {
        var words = 1
        while words * 64 < finals.count { words *= 2 }
        return words
    }

    /// Of several words; with one, each final has the bit of its place.
    private(set) var arrangement: BlockArrangement?

    /// Gives the finals their bits, when all are there.
    mutating func arrange() {
        if words > 1 { arrangement = BlockArrangement(finals.map(\.conjunction)) }
    }

    var conjunctions: [Conjunction] { finals.map(\.conjunction) + others.map(\.conjunction) }

    /// Bytes of a row.
    var stride: Int { (others.isEmpty ? 0 : 8) + (words > 1 ? 8 : 0) + words * 8 }

    /// Where the words of a row begin.
    var wordOffset: Int { (others.isEmpty ? 0 : 8) + (words > 1 ? 8 : 0) }

    /// The rules that do not decide, each once.
    var otherRules: Int { Set(others.map(\.order)).count }

    /// The records of the others, and for each the bits of candidates that stay when it has acted.
    var otherTables: (records: [UInt8], kept: [UInt8]) {
        var records: [UInt8] = []
        var kept: [UInt64] = [UInt64](repeating: .max, count: 64)
        var start = 0
        for (place, other) in others.enumerated() {
            records += other.rule.record(before: other.position)
            if place > 0, others[place - 1].order != other.order { start = place }
            for member in start...place {
                for bit in start...place { kept[member] &= ~(1 << UInt64(bit)) }
            }
        }
        records += [UInt8](repeating: 0, count: 64 * RuleRecord.size - records.count)
        return (records, kept.flatMap(\.hostBytes))
    }
}
