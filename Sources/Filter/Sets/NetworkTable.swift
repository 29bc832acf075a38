// SPDX-License-Identifier: Apache-2.0

/// All networks of a trie with timeouts while it is worked out what counts for each of them.
struct NetworkTable {
    private var index: PackedKeys
    /// Their own entries, and what the trie says that counts; 0 for what is not in it.
    private var own: [UInt64] = []
    private var counting: [UInt64] = []
    private var isChanged: [Bool] = []

    init(keySize: Int) {
        index = PackedKeys(keySize: keySize, hasLives: false)
    }

    /// What the trie has.
    mutating func add(_ key: UnsafeRawPointer, own entry: UInt64, counting other: UInt64) {
        guard index.insert(key, life: 0) else { return }
        own.append(entry)
        counting.append(other)
        isChanged.append(false)
    }

    /// What the trie shall have.
    mutating func set(_ rows: SetRows) {
        rows.forEach { key, entry in
            if index.insert(key, life: 0) {
                own.append(entry)
                counting.append(0)
                isChanged.append(true)
            } else if let place = index.place(of: key) {
                isChanged[place] = isChanged[place] || own[place] != entry
                own[place] = entry
            }
        }
    }

    /// What has to be written, and what counts for it.
    func changes() -> (SetRows, covering: [UInt64]) {
        var rows = SetRows(keySize: index.keySize)
        var covering: [UInt64] = []
        index.bytes.withUnsafeBytes { keys in
            guard let start = keys.baseAddress else { return }
            let result = CoveringLives.compute(keys: start, keySize: index.keySize, own: own)
            for place in own.indices
            where isChanged[place] || CoveringLives.life(result[place]) != CoveringLives.life(counting[place])
            {
                rows.append(start + place * index.keySize, own[place])
                covering.append(result[place])
            }
        }
        return (rows, covering)
    }
}
