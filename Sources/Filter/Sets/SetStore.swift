// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// A set in the kernel: its maps, made, filled and changed while packets are looked up in them.
///
/// Those who change the sets of one filter take turns (``FilterStatePage/takeTurn(length:patience:)``), and so none
/// undoes what another does. Packets do not wait for anybody: at every instant they find what is in the set.
public struct SetStore: Sendable {
    public let name: String
    public let layout: SetLayout
    /// In the order of ``SetLayout/parts``.
    public let maps: [MapHandle]
    /// Where the filter sees whether there are elements at all; nil while no filter uses the set.
    public let page: FilterStatePage?
    /// The places of the parts there; nil for those that have none.
    public let places: [Int?]
    let parts: [SetPart]

    /// A set that is there.
    public init(
        name: String, layout: SetLayout, maps: [MapHandle], page: FilterStatePage? = nil, places: [Int?] = []
    ) throws(XDPError) {
        self.name = name
        self.layout = layout
        self.maps = maps
        self.page = page
        self.places = places + [Int?](repeating: nil, count: max(layout.parts.count - places.count, 0))
        guard maps.count == layout.parts.count else {
            throw XDPError(
                .failed, "The set \(name) cannot be used",
                because: "it has \(maps.count) maps instead of \(layout.parts.count)",
                remedy: "Apply the filter again")
        }
        do throws(BPFError) {
            parts = try Self.parts(maps, layout)
        } catch {
            throw XDPError(error, during: "The set \(name) cannot be used")
        }
    }

    /// The set with other maps.
    init(_ other: SetStore, maps: [MapHandle], parts: [SetPart]) {
        name = other.name
        layout = other.layout
        page = other.page
        places = other.places
        self.maps = maps
        self.parts = parts
    }

    static func parts(_ maps: [MapHandle], _ layout: SetLayout) throws(BPFError) -> [SetPart] {
        var parts: [SetPart] = []
        for (handle, part) in zip(maps, layout.parts) { parts.append(try SetPart(handle, layout, part)) }
        return parts
    }

    /// The same maps, in use by a filter.
    public func used(page: FilterStatePage?, places: [Int?]) throws(XDPError) -> SetStore {
        try SetStore(name: name, layout: layout, maps: maps, page: page, places: places)
    }

    // MARK: Room

    /// The room that a map gets for so many elements.
    ///
    /// A hash map pays 8 or 16 bytes for each place, used or not, up to the next power of two, so that is what it
    /// gets; a trie pays for what is in it only.
    public static func room(for count: Int, declared: UInt32?, in storage: SetLayout.Storage) -> UInt32 {
        let wanted = max(count + count / 16, Int(declared ?? 0), 1024)
        let most = 1 << 31
        switch storage {
        case .table: return 1
        case .hash: return UInt32(min(power(wanted), most))
        case .trie: return UInt32(min(max(power(wanted) * 4, 65536), most))
        }
    }

    private static func power(_ count: Int) -> Int {
        1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }

    /// The largest room of all parts, which is what ``SetLayout/definition(of:set:capacity:)`` is told.
    public var capacity: UInt32 { maps.map(\.definition.maximumEntries).max() ?? 1 }

    // MARK: Making

    /// Makes the maps of a set and fills them; nothing uses them yet.
    ///
    /// - Parameter replaced: the set as it was: what was added to it by hand and is alive stays.
    public static func make(
        _ declaration: SetDeclaration, contents: SetContents, replacing replaced: SetStore? = nil
    ) throws(XDPError) -> SetStore {
        let now = MonotonicTime.now()
        let layout = contents.layout
        var rows: [SetRows] = []
        for (index, keys) in contents.parts.enumerated() {
            var part = SetRows(keys, isDeclared: true, now: now)
            if let replaced, replaced.layout.kinds == layout.kinds {
                try replaced.handAdded(index, at: now, to: layout) { key, entry in
                    if !keys.contains(key) { part.append(key, entry) }
                }
            }
            rows.append(part)
        }
        let store = try empty(
            declaration.name, layout, counts: rows.map(\.count), declared: declaration.capacity)
        try store.fill(rows)
        return store
    }

    /// Maps without elements.
    static func empty(
        _ name: String, _ layout: SetLayout, counts: [Int], declared: UInt32?
    ) throws(XDPError) -> SetStore {
        var maps: [MapHandle] = []
        for (part, count) in zip(layout.parts, counts) {
            let room = room(for: count, declared: declared, in: layout.storage(of: part))
            let definition = layout.definition(of: part, set: name, capacity: room)
            do throws(BPFError) {
                maps.append(try MapHandle(definition))
            } catch {
                throw refusal(error, name, count: count, room: room)
            }
        }
        return try SetStore(name: name, layout: layout, maps: maps)
    }

    /// Puts elements into maps that are empty and that nobody else knows.
    func fill(_ rows: [SetRows]) throws(XDPError) {
        for (part, rows) in zip(parts, rows) {
            do throws(BPFError) {
                try part.write(rows, covering: Self.covering(rows, part), before: { () throws(BPFError) in })
            } catch {
                throw Self.refusal(
                    error, name, count: rows.count, room: part.handle.definition.maximumEntries)
            }
        }
    }

    static func covering(_ rows: SetRows, _ part: SetPart) -> [UInt64] {
        guard part.hasCovering, !rows.isEmpty else { return [] }
        return rows.keys.withUnsafeBytes { keys in
            keys.baseAddress.map { CoveringLives.compute(keys: $0, keySize: rows.keySize, own: rows.entries) }
                ?? []
        }
    }

    /// What was added by hand and is alive, as far as a set of another layout can hold it.
    private func handAdded(
        _ index: Int, at now: UInt64, to layout: SetLayout, _ body: (UnsafeRawPointer, UInt64) -> Void
    ) throws(XDPError) {
        do throws(BPFError) {
            try parts[index].forEach { key, raw, _ in
                let entry = SetLayout.Entry(rawValue: raw)
                // Without timeouts an element that was to end would stay forever.
                guard !entry.isDeclared, entry.isAlive(at: now), layout.hasTimeouts || entry.end == nil else {
                    return
                }
                body(key, raw)
            }
        } catch {
            throw XDPError(error, during: "The set \(name) cannot be read")
        }
    }

    /// Why the kernel refuses a map or elements, in words.
    static func refusal(_ error: BPFError, _ name: String, count: Int, room: UInt32) -> XDPError {
        let what = "The set \(name) with \(count) elements cannot be put into the kernel"
        switch error.errno {
        case .argListTooLong?, .noSpace?:
            return XDPError(
                .failed, what, because: "a map of \(room) elements is larger than the kernel allows, or full",
                remedy: "Make the set smaller: networks instead of single addresses, or several sets")
        case .noMemory?:
            return XDPError(
                .failed, what, because: "there is not enough memory for a map of \(room) elements [ENOMEM]",
                remedy: "Make the set smaller, or give the machine or the control group more memory")
        case .notPermitted? where !Capability.effective().isDisjoint(with: [.bpf]):
            return XDPError(
                .failed, what,
                because: "the kernel counts maps as locked memory, and the limit for it is reached [EPERM]",
                remedy: "Raise it: `ulimit -l unlimited`, or LimitMEMLOCK=infinity in the service")
        default: return XDPError(error, during: what)
        }
    }

    /// The bytes of kernel memory that the maps have, as the kernel counts them; nil where it does not say.
    public var memory: Int? {
        maps.reduce(Int?.some(0)) { sum, map in
            guard let sum else { return nil }
            let text = SmallFile.bytes(of: "/proc/self/fdinfo/\(map.map.descriptor.rawValue)")
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            let value = lines.first { $0.hasPrefix("memlock:") }?.split(separator: "\t").last
            return value.flatMap { Int($0) }.map { sum + $0 }
        }
    }
}
