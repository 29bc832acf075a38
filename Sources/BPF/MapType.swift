// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The kind of a map (`enum bpf_map_type` in linux/bpf.h).
public struct MapType: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let hash = MapType(rawValue: 1)
    public static let array = MapType(rawValue: 2)
    public static let programArray = MapType(rawValue: 3)
    public static let perfEventArray = MapType(rawValue: 4)
    public static let perCPUHash = MapType(rawValue: 5)
    public static let perCPUArray = MapType(rawValue: 6)
    public static let lruPerCPUHash = MapType(rawValue: 10)
    public static let lruHash = MapType(rawValue: 9)
    /// Longest prefix match.
    public static let prefixTrie = MapType(rawValue: 11)
    public static let arrayOfMaps = MapType(rawValue: 12)
    public static let hashOfMaps = MapType(rawValue: 13)
    public static let deviceMap = MapType(rawValue: 14)
    public static let processorMap = MapType(rawValue: 16)
    public static let deviceHash = MapType(rawValue: 25)
    public static let structOps = MapType(rawValue: 26)
    public static let ringBuffer = MapType(rawValue: 27)
    public static let perCPUStorage = MapType(rawValue: 21)

    /// Whether every CPU has a value of its own.
    public var isPerCPU: Bool {
        [.perCPUHash, .perCPUArray, .lruPerCPUHash, .perCPUStorage].contains(self)
    }

    /// The name as bpftool writes it: "lru_hash". A number where libbpf does not know the type.
    public var description: String {
        guard let name = libbpf_bpf_map_type_str(bpf_map_type(rawValue: rawValue)) else {
            return "type \(rawValue)"
        }
        return String(cString: name)
    }
}
