// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// The maps of a filter while it is compiled, and the tables in its constant ones.
struct MapBook: Sendable {
    /// Where a table stands.
    struct Table: Sendable, Hashable {
        var map: Int32
        var offset: Int32
    }

    private(set) var maps: [UnitMap] = []
    private(set) var roles: [FilterMapRole] = []
    private var places: [FilterMapRole: Int32] = [:]
    /// The constant maps' bytes, by place.
    private var constants: [Int32: [UInt8]] = [:]
    private var tables: [[UInt8]: Table] = [:]

    /// A value of an array is no longer than this on Linux 5.10 (KMALLOC_MAX_SIZE).
    static let largestConstant = 4 << 20
    /// Tables up to this size share a map.
    private static let sharedConstant = 1 << 20
    /// BPF_F_NO_PREALLOC and BPF_F_RDONLY_PROG of linux/bpf.h.
    private static let allocatesLazily: UInt32 = 1
    private static let readOnly: UInt32 = 1 << 7

    /// The place of a map that there is once.
    mutating func place(of role: FilterMapRole, _ definition: @autoclosure () -> MapDefinition) -> Int32 {
        if let known = places[role] { return known }
        let place = add(role, definition())
        places[role] = place
        return place
    }

    private mutating func add(_ role: FilterMapRole, _ definition: MapDefinition) -> Int32 {
        maps.append(UnitMap(name: definition.name, definition: definition))
        roles.append(role)
        return Int32(maps.count - 1)
    }

    // MARK: - Tables

    /// Puts a table into a constant map; equal ones stand once. The caller keeps them below ``largestConstant``.
    mutating func table(_ bytes: [UInt8]) -> Table {
        if bytes.count <= 1 << 17, let known = tables[bytes] { return known }
        let size = bytes.count
        let map: Int32
        if let open = constants.keys.sorted().first(where: {
            (constants[$0]?.count ?? 0) + size + 8 <= Self.sharedConstant
        }) {
            map = open
        } else {
            map = add(
                .constant([]),
                MapDefinition(name: "tables", type: .array, keySize: 4, valueSize: 8, maximumEntries: 1))
            constants[map] = []
        }
        let offset = constants[map]?.count ?? 0
        constants[map, default: []] += bytes
        constants[map, default: []] += [UInt8](repeating: 0, count: (8 - size % 8) % 8)
        let table = Table(map: map, offset: Int32(offset))
        if bytes.count <= 1 << 17 { tables[bytes] = table }
        return table
    }

    /// The bytes of all tables and lookup maps.
    var tableBytes: Int {
        constants.values.reduce(0) { $0 + $1.count }
            + roles.reduce(0) { sum, role in
                guard case .lookup(let entries) = role else { return sum }
                return sum + entries.reduce(0) { $0 + $1.key.count + $1.value.count }
            }
    }

    /// Writes the tables into their maps' roles.
    mutating func close() {
        for (map, bytes) in constants {
            roles[Int(map)] = .constant(bytes)
            maps[Int(map)].definition.valueSize = UInt32(bytes.count)
            maps[Int(map)].definition.flags = Self.readOnly
        }
    }

    // MARK: - Lookups

    mutating func hash(_ entries: [FilterMapEntry], key: Int, value: Int) -> Int32 {
        add(
            .lookup(entries),
            MapDefinition(
                name: "lookup", type: .hash, keySize: UInt32(key), valueSize: UInt32(value),
                // Buckets are as many as the map has room for: twice as many keep them short.
                maximumEntries: UInt32(max(entries.count, 1) * 2), flags: Self.allocatesLazily | Self.readOnly
            ))
    }

    mutating func trie(_ entries: [FilterMapEntry], key: Int, value: Int) -> Int32 {
        add(
            .lookup(entries),
            MapDefinition(
                name: "lookup", type: .prefixTrie, keySize: UInt32(key), valueSize: UInt32(value),
                maximumEntries: UInt32(max(entries.count, 1)), flags: Self.allocatesLazily | Self.readOnly))
    }
}
