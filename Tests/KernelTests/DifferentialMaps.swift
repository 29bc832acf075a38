// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import TestSupport

@testable import XDP

/// Fills two sets of maps alike, and compares them.
enum DifferentialMaps {
    private static let cpus = max(1, Int(libbpf_num_possible_cpus()))
    private static let trie = MapType(rawValue: 11)
    private static let leastRecentlyUsed = MapType(rawValue: 9)

    /// Whether user space can read and compare the map.
    private static func isPlain(_ type: MapType) -> Bool {
        [.hash, .array, .perCPUHash, .perCPUArray, .lruPerCPUHash, trie, leastRecentlyUsed].contains(type)
    }

    /// Puts the same content into both: keys cut out of packets, small values.
    static func fill(
        _ left: [MapHandle], _ right: [MapHandle], _ declared: [UnitMap], packets: [[UInt8]],
        using random: inout SeededGenerator
    ) {
        for (place, map) in declared.enumerated() where !map.isInternal && isPlain(map.definition.type) {
            let definition = map.definition
            for _ in 0..<12 {
                let key = key(for: definition, packets, using: &random)
                let value = value(for: definition, packets, using: &random)
                // A full table or a value that the kernel refuses is refused for both.
                for side in [left, right] {
                    do throws(BPFError) { try side[place].map.update(key, to: value) } catch {}
                }
            }
        }
    }

    private static func key(
        for definition: MapDefinition, _ packets: [[UInt8]], using random: inout SeededGenerator
    ) -> [UInt8] {
        let size = Int(definition.keySize)
        if [.array, .perCPUArray].contains(definition.type) {
            let index = UInt32.random(in: 0..<max(1, definition.maximumEntries), using: &random)
            return withUnsafeBytes(of: index) { Array($0) }
        }
        let packet = packets.randomElement(using: &random) ?? []
        let start = Int.random(in: 0..<48, using: &random)
        let end = min(start + size, packet.count)
        var key = start < end ? Array(packet[start..<end]) : []
        key += [UInt8](repeating: 0, count: size - key.count)
        if definition.type == trie {
            let prefix = UInt32.random(in: 0...UInt32(8 * max(0, size - 4)), using: &random)
            withUnsafeBytes(of: prefix) { key.replaceSubrange(0..<4, with: $0) }
        }
        return key
    }

    private static func value(
        for definition: MapDefinition, _ packets: [[UInt8]], using random: inout SeededGenerator
    ) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: Int(definition.valueSize))
        if !value.isEmpty { value[0] = UInt8.random(in: 0..<8, using: &random) }
        // Some fixtures look for the length of a packet.
        if value.count == 4, Bool.random(using: &random), let packet = packets.randomElement(using: &random) {
            withUnsafeBytes(of: UInt32(packet.count)) { value.replaceSubrange(0..<4, with: $0) }
        }
        guard definition.type.isPerCPU else { return value }
        let stride = (value.count + 7) / 8 * 8
        return (0..<cpus).flatMap { _ in value + [UInt8](repeating: 0, count: stride - value.count) }
    }

    /// Where two maps differ, in words; nil if they do not, or cannot be compared.
    static func difference(
        _ left: MapHandle, _ right: MapHandle, _ packets: [[UInt8]]
    ) throws(BPFError) -> String? {
        guard isPlain(left.definition.type) else { return nil }
        var keys = try keys(of: left, packets)
        keys.formUnion(try self.keys(of: right, packets))
        for key in keys {
            let (chained, alone) = (try value(of: key, in: left), try value(of: key, in: right))
            if chained != alone {
                return "\(key): \(chained ?? []) in the chain, \(alone ?? []) alone"
            }
        }
        return nil
    }

    /// All keys; of large arrays those that a packet could lead to.
    private static func keys(of handle: MapHandle, _ packets: [[UInt8]]) throws(BPFError) -> Set<[UInt8]> {
        let definition = handle.definition
        let isArray = [.array, .perCPUArray].contains(definition.type)
        if isArray, definition.maximumEntries > 4096 {
            var words: Set<[UInt8]> = []
            for packet in packets {
                for place in 0..<min(60, packet.count - 1) {
                    let (first, second) = (packet[place], packet[place + 1])
                    words.insert([first, second, 0, 0])
                    words.insert([second, first, 0, 0])
                }
            }
            return words
        }
        var keys: Set<[UInt8]> = []
        var key = try handle.map.key(after: nil, keySize: Int(definition.keySize))
        while let current = key {
            keys.insert(current)
            key = try handle.map.key(after: current, keySize: Int(definition.keySize))
        }
        return keys
    }

    private static func value(of key: [UInt8], in handle: MapHandle) throws(BPFError) -> [UInt8]? {
        let size = try handle.map.information().lookupSize(possibleCPUs: cpus)
        guard let value = try handle.map.lookup(key, valueSize: size) else { return nil }
        return handle.definition.type.isPerCPU ? summed(value) : value
    }

    /// The 8-byte words of all CPUs' values added up.
    private static func summed(_ value: [UInt8]) -> [UInt8] {
        let reader = ByteReader(value)
        let stride = value.count / cpus
        return Swift.stride(from: 0, to: stride, by: 8).flatMap { offset in
            let sum = (0..<cpus).reduce(UInt64(0)) { $0 &+ (reader.integer(at: $1 * stride + offset) ?? 0) }
            return withUnsafeBytes(of: sum) { Array($0) }
        }
    }
}
