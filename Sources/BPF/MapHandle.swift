// SPDX-License-Identifier: Apache-2.0

/// A map that several owners hold: the descriptor is closed when the last of them lets go.
public final class MapHandle: Sendable {
    public let map: BPFMap
    public let id: UInt32
    public let definition: MapDefinition
    /// What the kernel said when it was taken over.
    public var information: MapInformation { MapInformation(id: id, definition: definition) }

    /// Takes over a map and asks the kernel for its id and definition.
    public init(_ map: consuming BPFMap) throws(BPFError) {
        let information = try map.information()
        self.map = map
        self.id = information.id
        self.definition = information.definition
    }

    /// Opens a map by id. Needs CAP_SYS_ADMIN.
    public convenience init(id: UInt32) throws(BPFError) {
        try self.init(BPFMap(id: id))
    }

    /// Makes a map.
    public convenience init(_ definition: MapDefinition) throws(BPFError) {
        try self.init(BPFMap(definition))
    }
}
