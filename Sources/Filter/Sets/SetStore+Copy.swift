// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

// A set moves to other maps when it is full or when its declaration changed: what is in it is copied, the filter is
// swapped for one with the new maps, and what came to the old maps meanwhile is copied after that. Whoever holds the
// turn (``FilterStatePage/takeTurn(length:patience:)``) from before the copy until after the swap loses nothing at all;
// otherwise an element that is deleted in between comes back.
extension SetStore {
    /// New maps with the same elements and with room for more; tables, which are never full, are handed on.
    public func grown(toHold count: Int) throws(XDPError) -> SetStore {
        do throws(BPFError) {
            var maps: [MapHandle] = []
            for (part, handle) in zip(layout.parts, self.maps) {
                var definition = handle.definition
                if case .table = layout.storage(of: part) {
                    maps.append(handle)
                    continue
                }
                definition.maximumEntries = max(
                    definition.maximumEntries,
                    Self.room(for: count, declared: nil, in: layout.storage(of: part)))
                do throws(BPFError) {
                    maps.append(try MapHandle(definition))
                } catch {
                    throw BPFError(
                        "make a larger map", errno: error.errno,
                        kernelMessage: Self.refusal(
                            error, name, count: count, room: definition.maximumEntries
                        ).why)
                }
            }
            let store = SetStore(self, maps: maps, parts: try Self.parts(maps, layout))
            for (old, new) in zip(parts, store.parts) where !old.isTable {
                let rows = try old.rows()
                try new.write(rows, covering: Self.covering(rows, new), before: { () throws(BPFError) in })
            }
            return store
        } catch {
            throw XDPError(error, during: "The set \(name) cannot get more room")
        }
    }

    /// Adds what is in other maps, is alive and is not here, or ends earlier here.
    ///
    /// - Parameter includesDeclared: false leaves out what the rules declared.
    public func copyRest(from old: SetStore, includesDeclared: Bool = true) throws(XDPError) {
        guard old.layout.kinds == layout.kinds else { return }
        try changing("The set \(name) cannot be brought up to date") { step throws(BPFError) in
            let now = MonotonicTime.now()
            for (index, (source, part)) in zip(old.parts, parts).enumerated()
            where source.handle.id != part.handle.id {
                var known = PackedKeys(keySize: part.keySize, hasLives: false)
                var entries: [UInt64] = []
                try part.forEach { key, entry, _ in
                    if known.insert(key, life: 0) { entries.append(entry) }
                }
                var rows = SetRows(keySize: part.keySize)
                try source.forEach { key, raw, _ in
                    let entry = SetLayout.Entry(rawValue: raw)
                    guard entry.isAlive(at: now), includesDeclared || !entry.isDeclared,
                        layout.hasTimeouts || entry.end == nil
                    else { return }
                    if let place = known.place(of: key) {
                        guard CoveringLives.isLonger(raw, than: entries[place]),
                            includesDeclared || entries[place] & 1 == 0
                        else { return }
                        rows.append(key, raw | entries[place] & 1)
                    } else {
                        rows.append(key, raw)
                    }
                }
                guard !rows.isEmpty else { continue }
                setFlag(index)
                try write(rows, to: part, step)
                setFlag(index)
            }
        }
    }

    /// Sets the flags as the elements are: before a filter begins to use the maps.
    public func publishFlags() throws(XDPError) {
        do throws(BPFError) {
            for (index, part) in parts.enumerated() where try !part.isEmpty() { setFlag(index) }
            for index in parts.indices { try clearFlag(index) }
        } catch {
            throw XDPError(error, during: "The set \(name) cannot be read")
        }
    }
}
