// SPDX-License-Identifier: Apache-2.0
import BPF

/// Puts manifests into frozen maps and finds them again.
enum ManifestStore {
    /// Makes the map: written, then frozen.
    static func save(
        _ manifest: Manifest, name: String = Manifest.mapName
    ) throws(BPFError) -> MapHandle {
        try FrozenBytes.save(manifest.encoded(), name: name)
    }

    /// Looks through the maps of a program, the last one first, where the manifest is.
    ///
    /// - Returns: nil for a program that is not a linked chain.
    static func find(
        in program: borrowing Program, name: String = Manifest.mapName
    ) throws(BPFError) -> Result<Manifest, Manifest.Unreadable>? {
        for id in try program.mapIDs().reversed() {
            let map = try BPFMap(id: id)
            let definition = try map.information().definition
            guard definition.type == .array, definition.name == name else { continue }
            return try read(map, definition)
        }
        return nil
    }

    private static func read(
        _ map: borrowing BPFMap, _ definition: MapDefinition
    ) throws(BPFError) -> Result<Manifest, Manifest.Unreadable>? {
        guard FrozenBytes.canBeRead(definition) else { return nil }
        guard let bytes = try FrozenBytes.read(map, definition) else { return .failure(.damaged) }
        do throws(Manifest.Unreadable) {
            return .success(try Manifest(decoding: bytes))
        } catch {
            return .failure(error)
        }
    }
}

extension Manifest {
    /// The programs that the chain consists of beside the attached one: further segments, and members' own.
    var programs: Set<UInt32> {
        var found = Set(chain.members.compactMap { $0.adopted == nil ? $0.separate?.programID : nil })
        if segmentArray != 0, let array = try? BPFMap(id: segmentArray),
            let segments = try? PinKeeper.programs(in: array)
        {
            found.formUnion(segments)
        }
        return found
    }
}
