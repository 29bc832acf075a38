// SPDX-License-Identifier: Apache-2.0
import BPF

/// A run of bytes in a frozen array map: what is to be known of a program, kept beside it.
package enum FrozenBytes {
    /// A program cannot write the map (`BPF_F_RDONLY_PROG`, linux/bpf.h).
    private static let readOnlyForPrograms: UInt32 = 1 << 7
    /// Bytes of one array value; what is longer takes several. Every kernel from 5.10 has arrays of this.
    private static let largestSlice = 1 << 20
    /// Nothing comes near it; a map that claims more is not read.
    private static let most = 256 << 20

    /// Makes the map: written, then frozen.
    package static func save(_ bytes: [UInt8], name: String) throws(BPFError) -> MapHandle {
        let size = max(min((bytes.count + 7) / 8 * 8, largestSlice), 8)
        let count = max((bytes.count + size - 1) / size, 1)
        let map = try MapHandle(
            MapDefinition(
                name: name, type: .array, keySize: 4, valueSize: UInt32(size),
                maximumEntries: UInt32(count), flags: readOnlyForPrograms))
        for slice in 0..<count {
            var value = Array(bytes[(slice * size)..<min((slice + 1) * size, bytes.count)])
            value += [UInt8](repeating: 0, count: size - value.count)
            try map.map.update(key(slice), to: value)
        }
        try map.map.freeze()
        return map
    }

    /// Whether a map can be one of these.
    package static func canBeRead(_ definition: MapDefinition) -> Bool {
        definition.type == .array && definition.keySize == 4
            && Int(definition.maximumEntries) <= most / max(Int(definition.valueSize), 1)
    }

    /// The bytes, with zeros behind them; nil if one of the values is missing.
    package static func read(
        _ map: borrowing BPFMap, _ definition: MapDefinition
    ) throws(BPFError) -> [UInt8]? {
        guard canBeRead(definition) else { return nil }
        let size = Int(definition.valueSize)
        var bytes: [UInt8] = []
        for slice in 0..<Int(definition.maximumEntries) {
            guard let value = try map.lookup(key(slice), valueSize: size) else { return nil }
            bytes += value
        }
        return bytes
    }

    private static func key(_ slice: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(slice)) { Array($0) }
    }
}
