// SPDX-License-Identifier: Apache-2.0

/// Which bit stands for which final of a block of several words.
///
/// Finals that ask the same fields, with values near to each other, share a word: so most packets have candidates in
/// few words, and the summaries see it. Within a word the order of the bits is that of the rules; which of the
/// words' first rules is the first of all is looked up. (Rearranging rules is from Baboescu and Varghese 2001.)
///
/// The last final, which matches every packet, has no bit: it is what is found where nothing else is.
struct BlockArrangement: Sendable {
    /// The bit of each final; nil for the last one.
    private(set) var bits: [Int?]
    /// The final of each bit.
    private(set) var finals: [Int]

    init(_ conjunctions: [Conjunction]) {
        let keys = conjunctions.dropLast().map(Self.sortKey)
        var order = Array(keys.indices)
        order.sort { left, right in
            keys[left] == keys[right] ? left < right : keys[left].lexicographicallyPrecedes(keys[right])
        }
        finals = []
        finals.reserveCapacity(order.count)
        for first in stride(from: 0, to: order.count, by: 64) {
            finals += order[first..<min(first + 64, order.count)].sorted()
        }
        bits = [Int?](repeating: nil, count: conjunctions.count)
        for (bit, final) in finals.enumerated() { bits[final] = bit }
    }

    /// The fields, then the beginning of what each allows: addresses before all others.
    private static func sortKey(_ conjunction: Conjunction) -> [UInt64] {
        let keys = conjunction.keys.sorted { rank($0) < rank($1) }
        return keys.map { UInt64($0.order) + 1 } + [0] + keys.map { lowest(conjunction[$0]) }
    }

    private static func rank(_ key: FieldKey) -> Int {
        switch key {
        case .address, .mac: key.order - 1000
        case .small(.number(.destinationPort)): -2
        case .small(.number(.sourcePort)): -1
        case .small, .predicate: key.order
        }
    }

    private static func lowest(_ constraint: Constraint?) -> UInt64 {
        switch constraint {
        case .small(let set): UInt64(set.ranges.first?.lowerBound ?? 0)
        case .mac(let set): set.ranges.first?.lowerBound ?? 0
        case .address(let set):
            set.four.ranges.first.map { UInt64($0.lowerBound) }
                ?? set.six.ranges.first.map { UInt64(truncatingIfNeeded: $0.lowerBound >> 64) } ?? 0
        case .truth(let answer): answer ? 1 : 0
        case nil: 0
        }
    }
}
