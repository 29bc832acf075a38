// SPDX-License-Identifier: Apache-2.0
import BPF
import Synchronization

/// One map of a set in the kernel, and how elements stand in it.
struct SetPart: Sendable {
    let storage: SetLayout.Storage
    let handle: MapHandle
    let keySize: Int
    /// Tries of sets with timeouts: each element has the entry that counts as well.
    let hasCovering: Bool
    /// The entries of a table, by number.
    private let table: MappedValue?
    private let entrySize: Int

    init(_ handle: MapHandle, _ layout: SetLayout, _ part: SetLayout.Part) throws(BPFError) {
        storage = layout.storage(of: part)
        self.handle = handle
        keySize = layout.entryKeySize(of: part)
        let wanted = layout.definition(of: part, set: "", capacity: 1)
        guard handle.definition.type == wanted.type, handle.definition.keySize == wanted.keySize,
            handle.definition.valueSize == wanted.valueSize
        else {
            throw BPFError(
                "use a map as a set", on: "map \(handle.id) \(handle.definition.name)",
                kernelMessage:
                    "it is \(handle.definition.type) with values of \(handle.definition.valueSize) bytes")
        }
        if case .table(let count) = storage {
            entrySize = layout.hasTimeouts ? 8 : 1
            table = try MappedValue(handle.map, count: count * entrySize)
            hasCovering = false
        } else {
            entrySize = Int(wanted.valueSize)
            table = nil
            if case .trie = storage { hasCovering = layout.hasTimeouts } else { hasCovering = false }
        }
    }

    var isTable: Bool { table != nil }
    /// Of a table: a number for each element.
    var capacity: Int {
        if case .table(let count) = storage { count } else { Int(handle.definition.maximumEntries) }
    }
    var isTrie: Bool { if case .trie = storage { true } else { false } }

    // MARK: Reading

    /// Every element's key, own entry, and the one that counts. What is added or deleted meanwhile is seen or not.
    func forEach(_ body: (UnsafeRawPointer, UInt64, UInt64) -> Void) throws(BPFError) {
        if let table {
            for number in 0..<UInt32(table.count / entrySize) {
                let entry = load(table, Int(number))
                if entry != 0 {
                    withUnsafeBytes(of: number) { if let key = $0.baseAddress { body(key, entry, entry) } }
                }
            }
            return
        }
        let (keySize, valueSize, hasCovering) = (keySize, entrySize, hasCovering)
        try handle.map.forEachBatch(keySize: keySize, valueSize: valueSize) {
            count, keys, values throws(BPFError) in
            for index in 0..<count {
                let entry = values.loadUnaligned(fromByteOffset: index * valueSize, as: UInt64.self)
                let counting =
                    hasCovering
                    ? values.loadUnaligned(fromByteOffset: index * valueSize + 8, as: UInt64.self) : entry
                if entry != 0 { body(keys + index * keySize, entry, counting) }
            }
        }
    }

    func rows() throws(BPFError) -> SetRows {
        var rows = SetRows(keySize: keySize)
        try forEach { key, entry, _ in rows.append(key, entry) }
        return rows
    }

    func isEmpty() throws(BPFError) -> Bool {
        if isTable {
            var isEmpty = true
            try forEach { _, _, _ in isEmpty = false }
            return isEmpty
        }
        return try handle.map.isEmpty(keySize: keySize)
    }

    /// An element's own entry; nil if there is none. `first` is the first key of a trie (``firstKey()``).
    func entry(_ key: UnsafeRawPointer, first: [UInt8]?) throws(BPFError) -> UInt64? {
        if let table {
            let entry = load(table, Int(key.loadUnaligned(as: UInt32.self)))
            return entry == 0 ? nil : entry
        }
        if isTrie, try !isInTrie(key, first: first) { return nil }
        var value: (UInt64, UInt64) = (0, 0)
        let found = try withPointer(&value) { pointer throws(BPFError) in
            try handle.map.lookup(key, into: pointer)
        }
        return found && value.0 != 0 ? value.0 : nil
    }

    func firstKey() throws(BPFError) -> [UInt8]? {
        isTrie ? try handle.map.key(after: nil, keySize: keySize) : nil
    }

    /// A lookup finds networks that cover the one that is asked for, too. What follows on it tells: the first of all
    /// networks follows on those that are not there, and on no other.
    private func isInTrie(_ key: UnsafeRawPointer, first: [UInt8]?) throws(BPFError) -> Bool {
        guard let first else { return false }
        var next: (UInt64, UInt64, UInt64) = (0, 0, 0)
        let found = try withPointer(&next) { pointer throws(BPFError) in
            try handle.map.key(after: key, into: pointer)
        }
        guard found else { return true }
        return !withUnsafeBytes(of: next) { $0.prefix(keySize).elementsEqual(first) }
    }

    /// What counts for an address or network: 0 for nothing. Of tries with timeouts that is what all networks that
    /// cover it say together.
    func covering(_ key: UnsafeRawPointer) throws(BPFError) -> UInt64 {
        if let table { return load(table, Int(key.loadUnaligned(as: UInt32.self))) }
        var value: (UInt64, UInt64) = (0, 0)
        let found = try withPointer(&value) { pointer throws(BPFError) in
            try handle.map.lookup(key, into: pointer)
        }
        return found ? (hasCovering ? value.1 : value.0) : 0
    }

    private func withPointer<Value>(
        _ value: inout Value, _ body: (UnsafeMutableRawPointer) throws(BPFError) -> Bool
    ) throws(BPFError) -> Bool {
        try withUnsafeMutablePointer(to: &value) { pointer throws(BPFError) in
            try body(UnsafeMutableRawPointer(pointer))
        }
    }

    // MARK: Writing

    /// Writes elements with their own entries and, in tries with timeouts, those that count.
    func write(_ rows: SetRows, covering: [UInt64], before step: () throws(BPFError) -> Void) throws(BPFError)
    {
        if let table {
            try step()
            rows.forEach { key, entry in store(table, Int(key.loadUnaligned(as: UInt32.self)), entry) }
            return
        }
        let chunk = 16384
        var start = 0
        var values: [UInt64] = []
        while start < rows.count {
            let end = min(start + chunk, rows.count)
            try step()
            values.removeAll(keepingCapacity: true)
            for index in start..<end {
                values.append(rows.entries[index])
                if hasCovering { values.append(covering[index]) }
            }
            try rows.keys.withUnsafeBufferPointer { keys throws(BPFError) in
                try values.withUnsafeBufferPointer { values throws(BPFError) in
                    guard let first = keys.baseAddress, let value = values.baseAddress else { return }
                    try handle.map.update(
                        count: end - start, keys: UnsafeRawPointer(first) + start * keySize, keySize: keySize,
                        values: value, valueSize: entrySize)
                }
            }
            start = end
        }
    }

    /// Removes elements and says how many were there; `missing` hears of those that were not.
    @discardableResult
    func delete(
        _ keys: [UInt8], before step: () throws(BPFError) -> Void, missing: (Int) -> Void = { _ in }
    ) throws(BPFError) -> Int {
        let count = keys.count / keySize
        var deleted = 0
        var start = 0
        while start < count {
            let end = min(start + 16384, count)
            try step()
            deleted += try keys.withUnsafeBufferPointer { keys throws(BPFError) in
                guard let first = keys.baseAddress.map({ UnsafeRawPointer($0) + start * keySize }) else {
                    return 0
                }
                guard let table else {
                    return try handle.map.delete(count: end - start, keys: first, keySize: keySize) {
                        missing(start + $0)
                    }
                }
                var deleted = 0
                for index in 0..<end - start {
                    let number = Int((first + index * keySize).loadUnaligned(as: UInt32.self))
                    if load(table, number) == 0 { missing(start + index) } else { deleted += 1 }
                    store(table, number, 0)
                }
                return deleted
            }
            start = end
        }
        return deleted
    }

    // MARK: Tables

    private func load(_ table: MappedValue, _ number: Int) -> UInt64 {
        guard (number + 1) * entrySize <= table.count else { return 0 }
        let place = table.memory + number * entrySize
        if entrySize == 8 {
            return UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self)).pointee.load(
                ordering: .relaxed)
        }
        let byte = UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt8>.self))
        return UInt64(byte.pointee.load(ordering: .relaxed))
    }

    private func store(_ table: MappedValue, _ number: Int, _ entry: UInt64) {
        guard (number + 1) * entrySize <= table.count else { return }
        let place = table.memory + number * entrySize
        if entrySize == 8 {
            UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self)).pointee.store(
                entry, ordering: .releasing)
        } else {
            UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt8>.self)).pointee.store(
                UInt8(truncatingIfNeeded: entry), ordering: .releasing)
        }
    }
}
