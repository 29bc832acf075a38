// SPDX-License-Identifier: Apache-2.0
import BPF

/// Decides for every map of an object whether it is made, taken from a pin, named by the user, or kept from
/// the member that is replaced, and where it is pinned.
struct MapSettings {
    let request: LoadRequest
    let predecessor: Member?
    private(set) var pins: [MapPin] = []
    private(set) var notes: [String] = []
    /// What was taken over of the settings of the replaced member.
    private(set) var variables: [String: String] = [:]
    private(set) var maximumEntries: [String: UInt32] = [:]
    /// Maps of global variables that were given values, which an older map would not have.
    private var setMaps: Set<String> = []
    /// Held until the object is prepared, which duplicates their descriptors.
    private var held: [MapHandle] = []

    init(request: LoadRequest, predecessor: Member?) {
        self.request = request
        self.predecessor = predecessor
    }

    /// Applies everything that was asked for to an object that is open.
    mutating func apply(to object: inout ObjectFile) throws(BPFError) {
        if let predecessor, request.keepsSettings { try inherit(predecessor.settings, in: &object) }
        for (variable, text) in request.variables.sorted(by: { $0.key < $1.key }) {
            try object.setVariable(variable, to: text)
            if let map = object.map(ofVariable: variable) { setMaps.insert(map) }
        }
        for (map, count) in request.maximumEntries.sorted(by: { $0.key < $1.key }) {
            try object.setMaximumEntries(of: map, to: count)
        }
        var root: String?
        for map in object.maps {
            // The object says /sys/fs/bpf; where that is really mounted is another question.
            guard map.pinPath != nil, request.pinDirectory == nil else { continue }
            if root == nil { root = try BPFFileSystem.find().root }
            pins.append(MapPin(map: map.name, path: "\(root ?? BPFFileSystem.standardPath)/\(map.name)"))
        }
        if let directory = request.pinDirectory {
            guard BPFFileSystem.isInside(directory) else {
                throw BPFError(
                    "pin maps", on: directory, kernelMessage: "it is not in a BPF file system",
                    remedy: "Name a directory below \(BPFFileSystem.standardPath)")
            }
            for map in object.maps {
                let plain = map.name.hasPrefix(".") ? map.name.dropFirst() : map.name[...]
                // The BPF file system takes no dots in names (".data.limits").
                let name = String(plain.map { $0 == "." ? "_" : $0 })
                pins.append(MapPin(map: map.name, path: "\(directory)/\(name)"))
            }
        }
        object.ignorePins()
        try reuse(in: object)
    }

    /// What the replaced member was loaded with and nobody said otherwise. Its variables keep what they hold by
    /// now, where their map stays.
    private mutating func inherit(
        _ settings: MemberSettings, in object: inout ObjectFile
    ) throws(BPFError) {
        for (variable, text) in settings.variables.sorted(by: { $0.key < $1.key })
        where request.variables[variable] == nil {
            guard object.map(ofVariable: variable) != nil else {
                notes.append("\(variable): not set, the new object does not have it")
                continue
            }
            try object.setVariable(variable, to: text)
            variables[variable] = text
        }
        for (map, count) in settings.maximumEntries.sorted(by: { $0.key < $1.key })
        where request.maximumEntries[map] == nil && object.maps.contains(where: { $0.name == map }) {
            try object.setMaximumEntries(of: map, to: count)
            maximumEntries[map] = count
        }
    }

    private mutating func reuse(in object: borrowing ObjectFile) throws(BPFError) {
        for (name, existing) in request.reusedMaps.sorted(by: { $0.key < $1.key }) {
            let handle: MapHandle
            switch existing {
            case .id(let id): handle = try MapHandle(id: id)
            case .pinned(let path): handle = try MapHandle(BPFMap(pinnedAt: path))
            }
            try object.reuse(handle, for: name)
            held.append(handle)
            notes.append("\(name): uses map \(handle.id)")
        }
        for map in object.maps where request.reusedMaps[map.name] == nil {
            if let pin = pins.first(where: { $0.map == map.name }), BPFFileSystem.exists(pin.path),
                !isFresh(map)
            {
                let handle = try MapHandle(BPFMap(pinnedAt: pin.path))
                try object.reuse(handle, for: map.name)
                held.append(handle)
                notes.append("\(map.name): uses the map pinned at \(pin.path)")
            } else {
                try keep(map, in: object)
            }
        }
        if let predecessor {
            let names = Set(object.maps.map(\.name))
            for old in predecessor.unit.maps where !names.contains(old.name) {
                notes.append("\(old.name): dropped, the new object does not have it")
            }
        }
    }

    /// Constants belong to the code; a map of them cannot be changed any more anyway.
    private func isConstant(_ map: ObjectFile.ObjectMap) -> Bool {
        map.name.hasPrefix(".rodata") || map.name == ".kconfig"
    }

    /// Whether a map has to be made, whatever there is.
    private func isFresh(_ map: ObjectFile.ObjectMap) -> Bool {
        isConstant(map) || setMaps.contains(map.name)
    }

    /// Keeps a map of the replaced member if the definition is the same.
    private mutating func keep(_ map: ObjectFile.ObjectMap, in object: borrowing ObjectFile) throws(BPFError)
    {
        guard let predecessor, let place = predecessor.unit.maps.firstIndex(where: { $0.name == map.name })
        else {
            if predecessor != nil { notes.append("\(map.name): new") }
            return
        }
        if isFresh(map) {
            if setMaps.contains(map.name), !isConstant(map) {
                notes.append("\(map.name): new, a variable in it was set")
            }
            return
        }
        let old = predecessor.unit.maps[place]
        if let difference = difference(from: old, to: map) {
            notes.append("\(map.name): not kept, \(difference)")
            return
        }
        let handle = try MapHandle(id: predecessor.mapIDs[place])
        try object.reuse(handle, for: map.name)
        held.append(handle)
        notes.append("\(map.name): kept")
    }

    private func difference(from old: UnitMap, to new: ObjectFile.ObjectMap) -> String? {
        let before = old.definition
        let after = new.definition
        if before.type != after.type { return "its type changed from \(before.type) to \(after.type)" }
        if before.keySize != after.keySize {
            return "its keys changed from \(before.keySize) to \(after.keySize) bytes"
        }
        if before.valueSize != after.valueSize {
            return "its values changed from \(before.valueSize) to \(after.valueSize) bytes"
        }
        if before.maximumEntries != after.maximumEntries {
            return "its size changed from \(before.maximumEntries) to \(after.maximumEntries) entries"
        }
        if before.flags != after.flags { return "its flags changed" }
        let layout = Array(SHA256.digest(of: Array(new.signature.utf8)).prefix(16))
        return old.layout == layout ? nil : "the layout of its keys or values changed"
    }
}
