// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// The elements of a set as they go into its maps.
public struct SetContents: Sendable {
    public let layout: SetLayout
    /// The keys of each part, in the order of ``SetLayout/parts``.
    public private(set) var parts: [PackedKeys]
    /// How many elements were there more than once; of those the longest life counts.
    public internal(set) var duplicates = 0
    /// SHA-256 of the declaration with its elements and of its file: the same digest, the same contents.
    public internal(set) var digest: [UInt8] = []
    /// What may be a mistake, and is none for certain.
    public internal(set) var warnings: [Finding] = []

    public init(_ layout: SetLayout) {
        self.layout = layout
        parts = layout.parts.map {
            PackedKeys(keySize: layout.entryKeySize(of: $0), hasLives: layout.hasTimeouts)
        }
    }

    /// Of all parts.
    public var count: Int { parts.reduce(0) { $0 + $1.count } }
    public var isEmpty: Bool { parts.allSatisfy { $0.count == 0 } }

    mutating func insert(_ key: UnsafeRawPointer, part: Int, life: UInt32) {
        if !parts[part].insert(key, life: life) { duplicates += 1 }
    }

    /// Adds an element; false if it names an interface that there is none of.
    @discardableResult
    mutating func insert(
        _ element: SetElement, standardLife: UInt64?, interface: (String) -> UInt32?
    ) -> Bool {
        let life = layout.hasTimeouts ? UInt32(clamping: element.timeout ?? standardLife ?? 0) : 0
        if case .numbers(let range) = element.components.first, layout.parts == [.table] {
            for number in range { insert(number, life: life) }
            return true
        }
        guard let (part, key) = layout.key(of: element.components, interface: interface) else { return false }
        key.withUnsafeBytes {
            if let start = $0.baseAddress { insert(start, part: part, life: life) }
        }
        return true
    }

    private mutating func insert(_ number: UInt16, life: UInt32) {
        withUnsafeBytes(of: UInt32(number)) {
            if let start = $0.baseAddress { insert(start, part: 0, life: life) }
        }
    }

    /// The elements one by one, with the lives that were asked for.
    public func elements(interfaceName: (UInt32) -> String?) -> [SetElement] {
        var elements: [SetElement] = []
        elements.reserveCapacity(count)
        for (part, keys) in zip(layout.parts, parts) {
            keys.bytes.withUnsafeBytes { bytes in
                for index in 0..<keys.count {
                    let key = UnsafeRawBufferPointer(
                        rebasing: bytes[index * keys.keySize..<(index + 1) * keys.keySize])
                    if let components = layout.components(of: key, in: part, interfaceName: interfaceName) {
                        elements.append(SetElement(components, timeout: keys.life(index)))
                    }
                }
            }
        }
        return elements
    }
}
