// SPDX-License-Identifier: Apache-2.0

/// What holds of each IPv4 address, in tables of 16, 8 and 8 bits of it: one to three loads, and no call.
///
/// A lookup in a map of the kernel is a call, and a trie there is a walk from bit to bit.
struct AddressTree: Sendable, Hashable {
    /// What stands in an entry that leads to a node: this bit, and the node's number.
    static let leadsOn: UInt16 = 0x8000
    /// A value for addresses of which nothing is said; real ones are smaller.
    static let nothing = 0x7fff
    /// More nodes are not worth their memory, which is 512 bytes each.
    private static let mostNodes = 4096
    static let nodeSize = 256

    /// An entry for each value of the upper 16 bits.
    private(set) var root: [UInt16]
    /// 256 entries for each node, by the next 8 bits.
    private(set) var nodes: [UInt16] = []

    var nodeCount: Int { nodes.count / Self.nodeSize }

    /// From what the longest prefix says; nil where it would be too large.
    init?(_ table: PrefixTable<UInt32>, otherwise standard: Int) {
        guard (0...Self.nothing).contains(standard) else { return nil }
        root = [UInt16](repeating: UInt16(standard), count: 1 << 16)
        // Shorter ones first: what is longer is written over them.
        for entry in table.entries.sorted(by: { $0.length < $1.length }) {
            guard (0..<Self.nothing).contains(entry.value) else { return nil }
            let value = UInt16(entry.value)
            let upper = Int(entry.address >> 16)
            guard entry.length > 16 else {
                for place in upper..<(upper + 1 << (16 - entry.length)) { root[place] = value }
                continue
            }
            guard var node = node(behind: root[upper]) else { return nil }
            root[upper] = node.entry
            var place = node.first + Int(entry.address >> 8 & 255)
            var bits = 24
            if entry.length > 24 {
                guard let next = self.node(behind: nodes[place]) else { return nil }
                nodes[place] = next.entry
                node = next
                place = node.first + Int(entry.address & 255)
                bits = 32
            }
            for place in place..<(place + 1 << (bits - entry.length)) { nodes[place] = value }
        }
    }

    /// The node that an entry leads to, or a new one in which holds what the entry says; nil if there are too many.
    private mutating func node(behind entry: UInt16) -> (entry: UInt16, first: Int)? {
        if entry & Self.leadsOn != 0 { return (entry, Int(entry & ~Self.leadsOn) * Self.nodeSize) }
        guard nodeCount < Self.mostNodes else { return nil }
        let number = UInt16(nodeCount)
        nodes += [UInt16](repeating: entry, count: Self.nodeSize)
        return (number | Self.leadsOn, Int(number) * Self.nodeSize)
    }

    /// What it says of an address, as the program finds it.
    func value(of address: UInt32) -> Int {
        var entry = root[Int(address >> 16)]
        for shift: UInt32 in [8, 0] where entry & Self.leadsOn != 0 {
            entry = nodes[Int(entry & ~Self.leadsOn) * Self.nodeSize + Int(address >> shift & 255)]
        }
        return Int(entry)
    }
}
