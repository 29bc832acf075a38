// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// The maps of a filter that is to come: taken over from the filter that runs, or made.
struct FilterMaps {
    /// A program cannot write the map (`BPF_F_RDONLY_PROG`, linux/bpf.h).
    static let readOnlyForPrograms: UInt32 = 1 << 7

    /// In the order of the roles.
    var handles: [MapHandle] { places.compactMap(\.self) }
    private var places: [MapHandle?] = []
    /// The pages of counters that were taken over.
    private(set) var keptPages: [Int: MapHandle] = [:]
    private let former: LiveFilter?
    /// How many maps of a kind there were so far.
    private var seen: [FilterRecord.MapKind: Int] = [:]

    init(former: LiveFilter?) {
        self.former = former
    }

    /// Makes or takes over the map of one role.
    ///
    /// - Parameter definition: as the compiler wants it.
    mutating func add(_ role: FilterMapRole, _ definition: MapDefinition) throws(XDPError) {
        do throws(BPFError) {
            let handle: MapHandle
            switch role {
            case .constant(let bytes): handle = try Self.constant(bytes, definition)
            case .lookup(let entries):
                handle = try MapHandle(definition)
                for entry in entries { try handle.map.update(entry.key, to: entry.value) }
            case .counters(let page):
                if let kept = try keep(.counters(page: page), definition) {
                    keptPages[page] = kept
                    handle = kept
                } else {
                    handle = try MapHandle(definition)
                }
            case .state, .log, .buckets:
                if let kept = try keep(FilterRecord.MapKind(role), definition) {
                    handle = kept
                } else {
                    handle = try MapHandle(definition)
                }
            case .devices, .set, .record:
                throw BPFError("make a map", on: definition.name, kernelMessage: "it is made elsewhere")
            }
            places.append(handle)
        } catch {
            throw XDPError(error, during: "The maps of the filter cannot be made")
        }
    }

    /// Takes in a map that was made elsewhere.
    mutating func add(_ handle: MapHandle) {
        places.append(handle)
    }

    /// Leaves a place for a map that is written last.
    mutating func reserve() {
        places.append(nil)
    }

    func handle(_ place: Int) -> MapHandle? { places[place] }

    mutating func fill(_ place: Int, _ handle: MapHandle) {
        places[place] = handle
    }

    /// Makes the devmap.
    mutating func addDevices(_ indexes: [UInt32], _ definition: MapDefinition) throws(XDPError) {
        do throws(BPFError) {
            let handle = try MapHandle(definition)
            for (place, index) in indexes.enumerated() {
                var value = withUnsafeBytes(of: index) { Array($0) }
                // Values of 8 bytes have room for the descriptor of a program; 0 is none.
                value += [UInt8](repeating: 0, count: max(0, Int(definition.valueSize) - 4))
                try handle.map.update(withUnsafeBytes(of: UInt32(place)) { Array($0) }, to: value)
            }
            places.append(handle)
        } catch {
            throw XDPError(error, during: "The interfaces that rules redirect to cannot be set")
        }
    }

    /// A map of the filter that runs, if it is as wanted.
    private mutating func keep(
        _ kind: FilterRecord.MapKind, _ definition: MapDefinition
    ) throws(BPFError) -> MapHandle? {
        let number = seen[kind, default: 0]
        seen[kind] = number + 1
        let ids = former?.mapIDs(of: kind) ?? []
        guard ids.indices.contains(number) else { return nil }
        let id = ids[number]
        let handle = try MapHandle(id: id)
        return handle.definition.isAlike(definition) ? handle : nil
    }

    private static func constant(
        _ bytes: [UInt8], _ definition: MapDefinition
    ) throws(BPFError) -> MapHandle {
        var definition = definition
        definition.flags |= readOnlyForPrograms
        let handle = try MapHandle(definition)
        let padding = max(0, Int(definition.valueSize) - bytes.count)
        try handle.map.update([0, 0, 0, 0], to: bytes + [UInt8](repeating: 0, count: padding))
        try handle.map.freeze()
        return handle
    }
}

extension MapDefinition {
    /// Whether a map is as wanted, whatever it is called.
    func isAlike(_ other: MapDefinition) -> Bool {
        type == other.type && keySize == other.keySize && valueSize == other.valueSize
            && maximumEntries == other.maximumEntries && flags == other.flags
    }
}
