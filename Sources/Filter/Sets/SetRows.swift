// SPDX-License-Identifier: Apache-2.0

/// What a part of a set holds: keys, and for each of them its own entry (``SetLayout/Entry``).
struct SetRows: Sendable {
    let keySize: Int
    private(set) var keys: [UInt8] = []
    private(set) var entries: [UInt64] = []

    init(keySize: Int) {
        self.keySize = keySize
    }

    /// Elements that are added now.
    init(_ contents: PackedKeys, isDeclared: Bool, now: UInt64) {
        keySize = contents.keySize
        keys = contents.bytes
        let never = SetLayout.Entry(isDeclared: isDeclared).rawValue
        guard contents.hasLives else {
            entries = [UInt64](repeating: never, count: contents.count)
            return
        }
        entries = contents.lives.map {
            $0 == 0
                ? never
                : SetLayout.Entry(isDeclared: isDeclared, end: now + UInt64($0) * 1_000_000_000).rawValue
        }
    }

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ key: UnsafeRawPointer, _ entry: UInt64) {
        keys.append(contentsOf: UnsafeRawBufferPointer(start: key, count: keySize))
        entries.append(entry)
    }

    mutating func setEntry(_ index: Int, _ entry: UInt64) { entries[index] = entry }

    mutating func reserve(_ count: Int) {
        keys.reserveCapacity(count * keySize)
        entries.reserveCapacity(count)
    }

    /// Those for which a question is answered with yes.
    func filtered(_ isIncluded: (UnsafeRawPointer, SetLayout.Entry) -> Bool) -> SetRows {
        var rows = SetRows(keySize: keySize)
        forEach { key, entry in
            if isIncluded(key, SetLayout.Entry(rawValue: entry)) { rows.append(key, entry) }
        }
        return rows
    }

    func forEach(_ body: (UnsafeRawPointer, UInt64) -> Void) {
        keys.withUnsafeBytes {
            guard let start = $0.baseAddress else { return }
            for index in entries.indices { body(start + index * keySize, entries[index]) }
        }
    }
}
