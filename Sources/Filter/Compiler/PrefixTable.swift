// SPDX-License-Identifier: Apache-2.0

/// What the longest prefix says of each address, as few entries as possible.
struct PrefixTable<Bound: FixedWidthInteger & UnsignedInteger & Sendable> {
    struct Entry: Hashable {
        var address: Bound
        var length: Int
        var value: Int
    }

    private(set) var entries: [Entry] = []
    /// What holds of addresses without an entry.
    private(set) var standard = 0

    private let steps: [FieldClasses.Step<Bound>]
    /// The candidates of each node of the binary trie, with the places of its halves.
    private var nodes: [(candidates: [Int], zero: Int, one: Int)] = []

    /// Whether entries are single addresses only.
    var isExact: Bool { entries.allSatisfy { $0.length == Bound.bitWidth } }

    /// From ranges that begin one behind the other, the first at 0.
    ///
    /// Upwards, each node of the trie of all prefixes gets the values that its parent may have without more entries
    /// (Draves et al., "Constructing optimal IP routing tables", 1999); downwards, a node whose candidates do not
    /// have what it inherits gets an entry.
    init(_ steps: [FieldClasses.Step<Bound>]) {
        self.steps = steps
        standard = widest()
        guard steps.count > 1 else { return }
        let root = node(0, 0, 0..<steps.count)
        write(root, 0, 0, inherited: standard)
        nodes = []
    }

    private func widest() -> Int {
        var best: (width: Bound, value: Int) = (0, steps.first?.kind ?? 0)
        for (place, step) in steps.enumerated() {
            let end = place + 1 < steps.count ? steps[place + 1].lower - 1 : .max
            if end - step.lower >= best.width { best = (end - step.lower, step.kind) }
        }
        return best.value
    }

    /// The node of a prefix, in which the steps of a range lie.
    private mutating func node(_ address: Bound, _ length: Int, _ range: Range<Int>) -> Int {
        guard range.count > 1, length < Bound.bitWidth else {
            nodes.append(([steps[range.lowerBound].kind], -1, -1))
            return nodes.count - 1
        }
        let half = address | (1 as Bound) << Bound(Bound.bitWidth - 1 - length)
        // The last step that begins before or at the half's beginning reaches into it.
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].lower < half { low = middle + 1 } else { high = middle }
        }
        let beginsThere = low < range.upperBound && steps[low].lower == half
        let zero = node(address, length + 1, range.lowerBound..<low)
        let one = node(half, length + 1, (beginsThere ? low : low - 1)..<range.upperBound)
        let left = nodes[zero].candidates
        let right = nodes[one].candidates
        let common = left.filter(right.contains)
        // More candidates than a few do not make fewer entries in practice.
        nodes.append((common.isEmpty ? Array((left + right).prefix(8)) : common, zero, one))
        return nodes.count - 1
    }

    private mutating func write(_ place: Int, _ address: Bound, _ length: Int, inherited: Int) {
        let node = nodes[place]
        var value = inherited
        if !node.candidates.contains(inherited), let chosen = node.candidates.first {
            value = chosen
            entries.append(Entry(address: address, length: length, value: chosen))
        }
        guard node.zero >= 0 else { return }
        write(node.zero, address, length + 1, inherited: value)
        write(
            node.one, address | (1 as Bound) << Bound(Bound.bitWidth - 1 - length), length + 1,
            inherited: value)
    }
}

extension PrefixTable {
    /// The first of several lists of networks in which an address is: the value is its place.
    init(firstOf lists: [IntervalSet<Bound>]) {
        steps = []
        var networks: [Entry] = []
        for (place, list) in lists.enumerated() {
            for range in list.ranges {
                Self.split(range) { networks.append(Entry(address: $0, length: $1, value: place)) }
            }
        }
        networks.sort { ($0.address, $0.length, $0.value) < ($1.address, $1.length, $1.value) }
        standard = -1
        // Those that cover the current one, with what holds in them.
        var covering: [Entry] = []
        for network in networks {
            while let last = covering.last, !last.covers(network) { covering.removeLast() }
            let outer = covering.last?.value ?? Int.max
            guard network.value < outer else { continue }
            entries.append(network)
            covering.append(network)
        }
    }

    /// A range as networks.
    static func split(_ range: ClosedRange<Bound>, _ body: (Bound, Int) -> Void) {
        var low = range.lowerBound
        while true {
            var free = low == 0 ? Bound.bitWidth : low.trailingZeroBitCount
            while free > 0, low | (Bound.max >> Bound(Bound.bitWidth - free)) > range.upperBound { free -= 1 }
            body(low, Bound.bitWidth - free)
            let last = free == 0 ? low : low | (Bound.max >> Bound(Bound.bitWidth - free))
            guard last < range.upperBound else { return }
            low = last + 1
        }
    }
}

extension PrefixTable.Entry {
    func covers(_ other: Self) -> Bool {
        length <= other.length && (address ^ other.address) & ~Bound.max.masked(behind: length) == 0
    }

    /// The key of a trie or, of a whole address, of a hash.
    func key(inTrie: Bool) -> [UInt8] {
        (inTrie ? UInt32(length).hostBytes : []) + address.networkBytes
    }
}

extension PrefixTable {
    /// The same prefixes with other values.
    func mapped(_ change: (Int) -> Int) -> Self {
        var copy = self
        copy.change { $0.value = change($0.value) }
        return copy
    }

    private mutating func change(_ body: (inout Entry) -> Void) {
        for place in entries.indices { body(&entries[place]) }
    }
}
