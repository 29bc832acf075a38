// SPDX-License-Identifier: Apache-2.0
import BPF

/// Where the kernel keeps a set: one map for each part.
///
/// | Part | of sets of | Map | Key |
/// |---|---|---|---|
/// | ``Part/ipv4``, ``Part/ipv6`` | `prefix` | LPM trie | prefix length (4, host order), address |
/// | ``Part/ipv4``, ``Part/ipv6`` | a tuple with addresses, or `address` | hash | the components |
/// | ``Part/table`` | `port`, `protocol`, `vlan` alone | array of one value: an entry for each number | – |
/// | ``Part/keys`` | everything else | hash | the components |
///
/// Components in keys, each filled with zeros to a multiple of four bytes: addresses 4 or 16 bytes in network order; ports, protocols and VLAN ids 2
/// bytes in host order (then 2 zeros); MAC addresses 6 bytes as on the wire (then 2 zeros); interfaces 4 bytes, the
/// index in host order. All addresses of one tuple are of one family.
///
/// What stands in a map for an element is an ``Entry``. Tries of sets with timeouts have two of them: the
/// element's own, and the one that counts, which is that of the longest-lived network that covers it.
/// Tables of sets without timeouts have the lowest byte of an entry only.
public struct SetLayout: Sendable, Hashable {
    public enum Part: String, Sendable, Hashable, CaseIterable {
        case ipv4, ipv6, table, keys
    }

    public enum Storage: Sendable, Hashable {
        case hash(keySize: Int)
        /// The key with the four bytes of the length.
        case trie(keySize: Int)
        case table(count: Int)
    }

    /// What is kept of an element: 0 for none; otherwise bit 1 is set, bit 0 says that a file lists it, and the
    /// bits above are when it ends, in nanoseconds of CLOCK_MONOTONIC with the lower two bits cut off; 0: never.
    public struct Entry: Sendable, Hashable, RawRepresentable {
        public var rawValue: UInt64

        public init(rawValue: UInt64) {
            self.rawValue = rawValue
        }

        public init(isDeclared: Bool, end: UInt64? = nil) {
            rawValue = 2 | (isDeclared ? 1 : 0) | (end.map { max($0 & ~3, 4) } ?? 0)
        }

        public var isDeclared: Bool { rawValue & 1 != 0 }
        public var isPresent: Bool { rawValue & 2 != 0 }
        /// When it ends; nil: never.
        public var end: UInt64? { rawValue < 4 ? nil : rawValue & ~3 }

        /// Whether it counts at a time. The compiled filter asks the same: `entry >= 4 && now > entry`.
        public func isAlive(at now: UInt64) -> Bool {
            isPresent && (rawValue < 4 || now <= rawValue)
        }
    }

    public let kinds: [SetDeclaration.Kind]
    /// Whether elements may end.
    public let hasTimeouts: Bool

    public init(_ declaration: SetDeclaration) {
        kinds = declaration.kinds
        hasTimeouts = declaration.hasTimeouts
    }

    /// The parts that such a set has, always in this order.
    public var parts: [Part] {
        if kinds.contains(.address) || kinds.contains(.prefix) { return [.ipv4, .ipv6] }
        switch kinds {
        case [.port], [.protocol], [.vlan]: return [.table]
        default: return [.keys]
        }
    }

    public func storage(of part: Part) -> Storage {
        switch (part, kinds) {
        case (.table, [.protocol]): .table(count: 256)
        case (.table, [.vlan]): .table(count: 4096)
        case (.table, _): .table(count: 65536)
        case (.ipv4, [.prefix]): .trie(keySize: 8)
        case (.ipv6, [.prefix]): .trie(keySize: 20)
        default: .hash(keySize: kinds.reduce(0) { $0 + size(of: $1, in: part) })
        }
    }

    /// The bytes of a component in the keys of a part.
    public func size(of kind: SetDeclaration.Kind, in part: Part) -> Int {
        switch kind {
        case .address, .prefix: part == .ipv6 ? 16 : 4
        case .mac: 8
        case .port, .protocol, .vlan, .interface: 4
        }
    }

    /// What the map of a part is made from.
    public func definition(of part: Part, set name: String, capacity: UInt32) -> MapDefinition {
        // Both kinds allocate elements as they come, so room costs next to nothing.
        let allocatesLazily: UInt32 = 1  // BPF_F_NO_PREALLOC of linux/bpf.h
        switch storage(of: part) {
        case .hash(let size):
            return MapDefinition(
                name: Self.mapName(name), type: .hash, keySize: UInt32(size), valueSize: 8,
                maximumEntries: max(capacity, 1), flags: allocatesLazily)
        case .trie(let size):
            return MapDefinition(
                name: Self.mapName(name), type: .prefixTrie, keySize: UInt32(size),
                valueSize: hasTimeouts ? 16 : 8, maximumEntries: max(capacity, 1), flags: allocatesLazily)
        case .table(let count):
            return MapDefinition(
                name: Self.mapName(name), type: .array, keySize: 4,
                valueSize: UInt32(hasTimeouts ? count * 8 : count), maximumEntries: 1,
                // Entries are written one by one, by several processes.
                flags: MappedValue.mapFlag)
        }
    }

    /// What the kernel shows as the map's name: up to 15 characters of `s_name`.
    static func mapName(_ name: String) -> String {
        String("s_\(name.map { $0 == "-" ? "_" : $0 }.map(String.init).joined())".prefix(15))
    }
}
