// SPDX-License-Identifier: Apache-2.0
import CBPF

/// What the kernel says of a map (`struct bpf_map_info`).
public struct MapInformation: Sendable, Hashable {
    public let id: UInt32
    public let definition: MapDefinition

    init(_ info: bpf_map_info) {
        id = info.id
        definition = MapDefinition(
            name: ObjectName.read(info.name), type: MapType(rawValue: info.type), keySize: info.key_size,
            valueSize: info.value_size, maximumEntries: info.max_entries, flags: info.map_flags)
    }

    init(id: UInt32, definition: MapDefinition) {
        self.id = id
        self.definition = definition
    }

    /// The bytes that one lookup from user space yields.
    public func lookupSize(possibleCPUs: Int) -> Int {
        let size = Int(definition.valueSize)
        return definition.type.isPerCPU ? (size + 7) / 8 * 8 * possibleCPUs : size
    }
}
