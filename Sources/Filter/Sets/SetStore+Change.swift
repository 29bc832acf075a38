// SPDX-License-Identifier: Apache-2.0
import BPF
import SystemPackage
import XDP

// Changes of a set in use. Each takes its turn, writes what counts before what depends on it, and keeps the flags by
// which the filter saves lookups in empty maps.
extension SetStore {
    typealias Step = () throws(BPFError) -> Void

    /// Adds elements, or gives those that are there another life.
    ///
    /// - Parameter isDeclared: whether they are from the rules rather than added by hand; a declared element stays one.
    public func add(_ contents: SetContents, isDeclared: Bool = false) throws(XDPError) -> SetChange {
        try changing("Elements cannot be added to the set \(name)") { step throws(BPFError) in
            var change = SetChange()
            change.expired = try removeExpired(step)
            let now = MonotonicTime.now()
            for (index, keys) in contents.parts.enumerated() where keys.count > 0 {
                let rows = SetRows(keys, isDeclared: isDeclared, now: now)
                setFlag(index)
                do throws(BPFError) {
                    try add(rows, to: parts[index], at: now, &change, step)
                } catch {
                    // E2BIG of hash maps, ENOSPC of tries.
                    guard error.errno == .argListTooLong || error.errno == .noSpace else { throw error }
                    change.neededRoom = max(
                        try parts[index].rows().count + rows.count, change.neededRoom ?? 0)
                }
                setFlag(index)
            }
            return change
        }
    }

    /// Removes elements.
    public func delete(_ contents: SetContents) throws(XDPError) -> SetChange {
        try changing("Elements cannot be deleted from the set \(name)") { step throws(BPFError) in
            var change = SetChange()
            change.expired = try removeExpired(step)
            for (index, keys) in contents.parts.enumerated() where keys.count > 0 {
                var missing: [Int] = []
                let (part, limit) = (parts[index], SetChange.shownMissing - change.missing.count)
                let deleted = try delete(keys.bytes, from: part, step) {
                    if missing.count < limit { missing.append($0) }
                }
                change.changed += deleted
                change.unchanged += keys.count - deleted
                keys.bytes.withUnsafeBytes { bytes in
                    for place in missing {
                        let key = UnsafeRawBufferPointer(
                            rebasing: bytes[place * keys.keySize..<(place + 1) * keys.keySize])
                        let components = layout.components(of: key, in: layout.parts[index]) {
                            Interfaces.name($0)
                        }
                        if let components { change.missing.append(SetElement(components)) }
                    }
                }
                try clearFlag(index)
            }
            return change
        }
    }

    /// Removes all elements.
    public func flush() throws(XDPError) -> SetChange {
        try changing("The set \(name) cannot be emptied") { step throws(BPFError) in
            var change = SetChange()
            for (index, part) in parts.enumerated() {
                change.changed += try part.delete(part.rows().keys, before: step)
                try clearFlag(index)
            }
            return change
        }
    }

    /// Removes what has ended, and says how much.
    @discardableResult
    public func removeExpired() throws(XDPError) -> Int {
        guard layout.hasTimeouts else { return 0 }
        return try changing("Ended elements of the set \(name) cannot be removed") { step throws(BPFError) in
            try removeExpired(step)
        }
    }

    /// Whether all elements are in the set: of networks and addresses in a set of networks, whether these cover them.
    public func contains(_ contents: SetContents) throws(XDPError) -> Bool {
        let now = MonotonicTime.now()
        do throws(BPFError) {
            for (part, keys) in zip(parts, contents.parts) {
                let size = keys.keySize
                let isIn = try keys.bytes.withUnsafeBufferPointer { bytes throws(BPFError) in
                    guard let first = bytes.baseAddress.map({ UnsafeRawPointer($0) }) else { return true }
                    for index in 0..<keys.count {
                        let entry = SetLayout.Entry(rawValue: try part.covering(first + index * size))
                        if !entry.isAlive(at: now) { return false }
                    }
                    return true
                }
                if !isIn { return false }
            }
            return true
        } catch {
            throw XDPError(error, during: "The set \(name) cannot be read")
        }
    }

    // MARK: Steps

    /// Removing an ended network changes nothing for those that it covers: what counts for them has ended too, or is
    /// something else.
    func removeExpired(_ step: Step) throws(BPFError) -> Int {
        guard layout.hasTimeouts else { return 0 }
        var count = 0
        let now = MonotonicTime.now()
        for (index, part) in parts.enumerated() {
            var rows = SetRows(keySize: part.keySize)
            try part.forEach { key, entry, _ in
                if !SetLayout.Entry(rawValue: entry).isAlive(at: now) { rows.append(key, entry) }
            }
            guard !rows.isEmpty else { continue }
            count += try part.delete(rows.keys, before: step)
            try clearFlag(index)
        }
        return count
    }

    private func add(
        _ added: SetRows, to part: SetPart, at now: UInt64, _ change: inout SetChange, _ step: Step
    ) throws(BPFError) {
        var rows = added
        let first = try part.firstKey()
        let known = try rows.keys.withUnsafeBufferPointer { keys throws(BPFError) in
            guard let start = keys.baseAddress.map({ UnsafeRawPointer($0) }) else { return 0 }
            var known = 0
            for index in 0..<added.count {
                if index & 4095 == 0 { try step() }
                guard let entry = try part.entry(start + index * added.keySize, first: first) else {
                    continue
                }
                known += 1
                // What the rules declare stays declared.
                rows.setEntry(index, added.entries[index] | entry & 1)
            }
            return known
        }
        // Also of a set that turns out to be full: the next try finds some of them there.
        change.changed += rows.count - known
        change.unchanged += known
        try write(rows, to: part, step)
    }

    /// Writes rows, and what counts for them and for what they cover.
    func write(_ rows: SetRows, to part: SetPart, _ step: Step) throws(BPFError) {
        guard part.hasCovering else { return try part.write(rows, covering: [], before: step) }
        if Self.areAddresses(rows.keys, rows.keySize) {
            return try part.write(rows, covering: coveringOfAddresses(rows, part), before: step)
        }
        try rewrite(part, step) { networks in networks.set(rows) }
    }

    /// Addresses cover nothing but themselves, so only what covers them matters.
    private func coveringOfAddresses(_ rows: SetRows, _ part: SetPart) throws(BPFError) -> [UInt64] {
        var covering = rows.entries
        var parent = [UInt8](repeating: 0, count: rows.keySize)
        for index in 0..<rows.count {
            parent.replaceSubrange(0..., with: rows.keys[index * rows.keySize..<(index + 1) * rows.keySize])
            parent[0] -= 1
            let wider = try parent.withUnsafeBufferPointer { key throws(BPFError) in
                guard let key = key.baseAddress else { return UInt64(0) }
                return try part.covering(key)
            }
            if wider != 0, CoveringLives.isLonger(wider, than: covering[index]) { covering[index] = wider }
        }
        return covering
    }

    private func delete(
        _ keys: [UInt8], from part: SetPart, _ step: Step, missing: (Int) -> Void
    ) throws(BPFError) -> Int {
        let deleted = try part.delete(keys, before: step, missing: missing)
        if part.hasCovering, deleted > 0, !Self.areAddresses(keys, part.keySize) {
            // What they covered may end earlier now.
            try rewrite(part, step) { _ in }
        }
        return deleted
    }

    /// Works out anew what counts for every network of a trie, and writes what became different.
    private func rewrite(
        _ part: SetPart, _ step: Step, _ body: (inout NetworkTable) -> Void
    ) throws(BPFError) {
        var networks = NetworkTable(keySize: part.keySize)
        try part.forEach { networks.add($0, own: $1, counting: $2) }
        body(&networks)
        let (rows, covering) = networks.changes()
        try part.write(rows, covering: covering, before: step)
    }

    /// Whether all networks of a trie's keys are single addresses.
    private static func areAddresses(_ keys: [UInt8], _ keySize: Int) -> Bool {
        let bits = UInt8((keySize - 4) * 8)
        return stride(from: 0, to: keys.count, by: keySize).allSatisfy { keys[$0] == bits }
    }

    // MARK: Turns and flags

    /// Does a change in its turn. One that lost it, because the process stood still, begins again.
    func changing<Result>(
        _ what: String, _ body: (Step) throws(BPFError) -> Result
    ) throws(XDPError) -> Result {
        let lost = BPFError("change a set", on: name, errno: .resourceTemporarilyUnavailable)
        for attempt in 0... {
            let turn = try page?.takeTurn()
            defer { turn?.end() }
            do throws(BPFError) {
                return try body { () throws(BPFError) in
                    if let turn, !turn.renew() { throw lost }
                }
            } catch {
                guard error.errno == lost.errno, attempt < 100 else { throw XDPError(error, during: what) }
            }
        }
        throw XDPError(lost, during: what)
    }

    func setFlag(_ index: Int) {
        if let page, let place = places[index] { page[place] = true }
    }

    /// Takes the flag of a part away if nothing is in it, and looks again: whoever adds without taking turns sets it
    /// after adding, too.
    func clearFlag(_ index: Int) throws(BPFError) {
        guard let page, let place = places[index], try parts[index].isEmpty() else { return }
        page[place] = false
        if try !parts[index].isEmpty() { page[place] = true }
    }
}
