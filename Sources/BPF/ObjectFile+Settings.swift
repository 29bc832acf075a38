// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

extension ObjectFile {
    /// The names of the variables that ``setVariable(_:to:)`` knows, sorted.
    public borrowing func variableNames() -> [String] {
        guard let btf = btf() else { return [] }
        return btf.dataSections.filter { isData(btf.name($0)) }
            .flatMap { btf.members(of: $0).map(\.name) }.sorted()
    }

    /// The map that a global variable is in; nil if there is no such variable.
    public borrowing func map(ofVariable variable: String) -> String? {
        guard let btf = btf() else { return nil }
        return btf.dataSections.first { section in
            isData(btf.name(section)) && btf.members(of: section).contains { $0.name == variable }
        }.map { btf.name($0) }
    }

    /// Gives a global variable its value before the load.
    ///
    /// - Parameter text: a number (decimal, or hexadecimal with 0x), `true` or `false`, the name of an
    ///   enumerator, or the text of a character array.
    public borrowing func setVariable(_ variable: String, to text: String) throws(BPFError) {
        guard let btf = btf() else {
            throw BPFError(
                "set variable \(variable)", on: name, kernelMessage: "the object has no type information",
                remedy: "Rebuild it with clang -g")
        }
        for section in btf.dataSections where isData(btf.name(section)) {
            guard let found = btf.members(of: section).first(where: { $0.name == variable }) else { continue }
            guard let map = bpf_object__find_map_by_name(object, btf.name(section)) else { continue }
            var size = 0
            guard let memory = bpf_map__initial_value(map, &size),
                Int(found.offset) + Int(found.size) <= size
            else {
                throw BPFError(
                    "set variable \(variable)", on: name, kernelMessage: "its section has no memory")
            }
            guard let bytes = VariableText.encode(text, as: found.type, size: Int(found.size), in: btf) else {
                throw BPFError(
                    "set variable \(variable)", on: name,
                    kernelMessage: "\"\(text)\" is no value for \(VariableText.describe(found.type, in: btf))"
                )
            }
            // libbpf hands the memory out for exactly this, but as const.
            UnsafeMutableRawPointer(mutating: memory).advanced(by: Int(found.offset)).copyMemory(
                from: bytes, byteCount: bytes.count)
            return
        }
        let names = variableNames()
        throw BPFError(
            "set variable \(variable)", on: name, kernelMessage: "there is no such variable",
            remedy: names.isEmpty
                ? "The object has no global variables" : "It has \(names.joined(separator: ", "))")
    }

    private borrowing func isData(_ section: String) -> Bool {
        section.hasPrefix(".rodata") || section.hasPrefix(".data") || section.hasPrefix(".bss")
    }

    /// Sets the number of entries of a map.
    public mutating func setMaximumEntries(of map: String, to count: UInt32) throws(BPFError) {
        let place = try place(of: map)
        let result = bpf_map__set_max_entries(mapPointers()[place], count)
        guard result == 0 else {
            throw BPFError("set the size of map \(map)", on: name, errno: Errno(rawValue: -result))
        }
        refreshMaps()
    }

    /// Uses a map that exists instead of making one. The kernel's definition must be the object's.
    public borrowing func reuse(_ existing: MapHandle, for map: String) throws(BPFError) {
        let place = try place(of: map)
        let wanted = maps[place].definition
        let found = existing.definition
        // Created maps may carry a flag more than the source asked for (mmapable global data).
        let isSame =
            wanted.type == found.type && wanted.keySize == found.keySize
            && wanted.valueSize == found.valueSize
            && (wanted.maximumEntries == found.maximumEntries || wanted.maximumEntries == 0)
        guard isSame else {
            throw BPFError(
                "reuse map \(existing.id) for \(map)", on: name,
                kernelMessage: "the object wants \(wanted.summary), the map is \(found.summary)")
        }
        let result = bpf_map__reuse_fd(mapPointers()[place], existing.map.descriptor.rawValue)
        guard result == 0 else {
            throw BPFError("reuse map \(existing.id) for \(map)", on: name, errno: Errno(rawValue: -result))
        }
    }

    /// Keeps libbpf from pinning or reusing pins; what shall be pinned is pinned when the change succeeds.
    public borrowing func ignorePins() {
        for map in mapPointers() { bpf_map__set_pin_path(map, nil) }
    }

    private borrowing func place(of map: String) throws(BPFError) -> Int {
        if let place = maps.firstIndex(where: { $0.name == map }) { return place }
        throw BPFError(
            "find map \(map)", on: name, kernelMessage: "the object has no such map",
            remedy: maps.isEmpty
                ? "It has no maps" : "It has \(maps.map(\.name).joined(separator: ", "))")
    }
}

extension MapDefinition {
    /// "hash, key 4 bytes, value 8 bytes, 1024 entries"
    public var summary: String {
        "\(type), key \(keySize) bytes, value \(valueSize) bytes, \(maximumEntries) entries"
    }
}
