// SPDX-License-Identifier: Apache-2.0
import BPF

/// Puts manifests into frozen maps and finds them again.
enum ManifestStore {
    /// A program cannot write the map (`BPF_F_RDONLY_PROG`, linux/bpf.h).
    private static let readOnlyForPrograms: UInt32 = 1 << 7
    /// Bytes of one array value; a larger manifest takes several. Every kernel from 5.10 has arrays of this.
    private static let largestSlice = 1 << 20
    /// No chain comes near it; a map that claims more is not read.
    private static let largestManifest = 256 << 20

    /// Makes the map: written, then frozen.
    static func save(
        _ manifest: Manifest, name: String = Manifest.mapName
    ) throws(BPFError) -> MapHandle {
        let bytes = manifest.encoded()
        let size = min((bytes.count + 7) / 8 * 8, largestSlice)
        let count = (bytes.count + size - 1) / size
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
        let size = Int(definition.valueSize)
        guard Int(definition.maximumEntries) <= largestManifest / max(size, 1) else { return nil }
        var bytes: [UInt8] = []
        for slice in 0..<Int(definition.maximumEntries) {
            guard let value = try map.lookup(key(slice), valueSize: size) else { return .failure(.damaged) }
            bytes += value
        }
        do throws(Manifest.Unreadable) {
            return .success(try Manifest(decoding: bytes))
        } catch {
            return .failure(error)
        }
    }

    private static func key(_ slice: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(slice)) { Array($0) }
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
