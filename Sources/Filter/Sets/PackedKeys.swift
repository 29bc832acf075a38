// SPDX-License-Identifier: Apache-2.0

/// Keys of a map, one behind the other, each of them once, with the lives that their elements shall have.
///
/// An element costs its key, four bytes of life where the set has timeouts, and 8 to 16 bytes to find it again.
public struct PackedKeys: Sendable {
    public let keySize: Int
    public let hasLives: Bool
    public private(set) var count = 0
    public private(set) var bytes: [UInt8] = []
    /// Seconds, 0 for no end; empty where elements have no lives.
    public private(set) var lives: [UInt32] = []
    /// Places from 1 of keys by their hash, 0 where there is none.
    private var slots: [UInt32] = []
    // A file from elsewhere must not be able to choose keys that all have one hash.
    private let seed = UInt64.random(in: 1 ... .max) | 1

    public init(keySize: Int, hasLives: Bool) {
        self.keySize = keySize
        self.hasLives = hasLives
    }

    /// Adds a key; false if it was there, and then the longer life counts.
    @discardableResult
    mutating func insert(_ key: UnsafeRawPointer, life: UInt32) -> Bool {
        if slots.count < count * 2 + 2 { makeRoom() }
        let slot = slot(of: key)
        if slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if hasLives, lives[place] != 0 { lives[place] = life == 0 ? 0 : max(lives[place], life) }
            return false
        }
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: key, count: keySize))
        if hasLives { lives.append(life) }
        count += 1
        slots[slot] = UInt32(count)
        return true
    }

    /// Whether a key is there.
    func contains(_ key: UnsafeRawPointer) -> Bool { place(of: key) != nil }

    /// Which of the keys it is, from 0; nil if it is not there.
    func place(of key: UnsafeRawPointer) -> Int? {
        guard !slots.isEmpty, case let place = slots[slot(of: key)], place != 0 else { return nil }
        return Int(place) - 1
    }

    /// The seconds of an element, nil for no end.
    func life(_ index: Int) -> UInt64? {
        hasLives && lives[index] != 0 ? UInt64(lives[index]) : nil
    }

    /// Where a key is, or would be.
    private func slot(of key: UnsafeRawPointer) -> Int {
        var hash = seed
        for place in stride(from: 0, to: keySize, by: 4) {
            hash =
                (hash ^ UInt64(key.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
                &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
        }
        hash = hash &* seed
        let mask = slots.count - 1
        return bytes.withUnsafeBytes { bytes in
            var slot = Int(truncatingIfNeeded: hash >> 20) & mask
            while true {
                let place = Int(slots[slot])
                guard place != 0 else { return slot }
                if Self.equal(bytes, (place - 1) * keySize, key, keySize) { return slot }
                slot = (slot + 1) & mask
            }
        }
    }

    private static func equal(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ key: UnsafeRawPointer, _ size: Int
    ) -> Bool {
        for place in stride(from: 0, to: size, by: 4)
        where bytes.loadUnaligned(fromByteOffset: start + place, as: UInt32.self)
            != key.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        {
            return false
        }
        return true
    }

    private mutating func makeRoom() {
        slots = [UInt32](repeating: 0, count: max(slots.count * 2, 16))
        let keys = bytes
        keys.withUnsafeBytes { keys in
            guard let first = keys.baseAddress else { return }
            for place in 0..<count {
                let slot = slot(of: first + place * keySize)
                slots[slot] = UInt32(place + 1)
            }
        }
    }
}
