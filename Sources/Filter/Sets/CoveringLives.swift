// SPDX-License-Identifier: Apache-2.0

/// Which entry counts for each network of a trie: that of the longest-lived network that covers it, which may be
/// itself.
///
/// A trie answers with the longest network that it finds, so one with a short life would hide a wider one with a
/// longer life.
enum CoveringLives {
    private struct Network {
        var address: UInt128
        var length: UInt32
        var index: Int
    }

    /// The lower bits, which are no time, do not count; no end is the longest life.
    static func isLonger(_ entry: UInt64, than other: UInt64) -> Bool {
        life(entry) > life(other)
    }

    static func life(_ entry: UInt64) -> UInt64 { entry < 4 ? .max : entry & ~3 }

    /// Of networks as keys of a trie (``SetLayout``), each once, and their own entries, the entries that count.
    static func compute(keys: UnsafeRawPointer, keySize: Int, own: [UInt64]) -> [UInt64] {
        guard own.contains(where: { $0 & ~1 != own[0] & ~1 }) else { return own }
        var networks: [Network] = []
        networks.reserveCapacity(own.count)
        for index in own.indices {
            let key = keys + index * keySize
            networks.append(Network(address: address(key, keySize), length: length(key), index: index))
        }
        // What covers a network stands before it, with nothing between that it does not cover as well.
        networks.sort { ($0.address, $0.length) < ($1.address, $1.length) }
        var result = own
        var open: [Network] = []
        for network in networks {
            while let last = open.last, !covers(last, network) { open.removeLast() }
            if let last = open.last, isLonger(result[last.index], than: own[network.index]) {
                result[network.index] = result[last.index]
            }
            open.append(network)
        }
        return result
    }

    static func length(_ key: UnsafeRawPointer) -> UInt32 { key.loadUnaligned(as: UInt32.self) }

    /// The address, its first bit uppermost.
    static func address(_ key: UnsafeRawPointer, _ keySize: Int) -> UInt128 {
        if keySize == 8 {
            return UInt128(UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 4, as: UInt32.self))) << 96
        }
        let high = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
        let low = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
        return UInt128(high) << 64 | UInt128(low)
    }

    private static func covers(_ wide: Network, _ narrow: Network) -> Bool {
        guard wide.length <= narrow.length else { return false }
        return wide.length == 0 || (wide.address ^ narrow.address) >> UInt128(128 - wide.length) == 0
    }
}
