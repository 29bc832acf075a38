// SPDX-License-Identifier: Apache-2.0

/// What a map is made from.
public struct MapDefinition: Hashable, Sendable {
    public var name: String
    public var type: MapType
    /// Bytes.
    public var keySize: UInt32
    /// Bytes; for per-CPU maps of one CPU's value.
    public var valueSize: UInt32
    public var maximumEntries: UInt32
    /// `BPF_F_…` of map creation (linux/bpf.h).
    public var flags: UInt32

    public init(
        name: String, type: MapType, keySize: UInt32, valueSize: UInt32, maximumEntries: UInt32,
        flags: UInt32 = 0
    ) {
        self.name = name
        self.type = type
        self.keySize = keySize
        self.valueSize = valueSize
        self.maximumEntries = maximumEntries
        self.flags = flags
    }
}
