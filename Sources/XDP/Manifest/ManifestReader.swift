// SPDX-License-Identifier: Apache-2.0
import BPF

/// Reads what ``ManifestWriter`` wrote, and believes nothing of it: every length is checked against what is
/// left before anything is allocated.
package struct ManifestReader {
    /// The bytes do not follow the format.
    package struct Damage: Error {
        package init() {}
    }

    private let reader: ByteReader
    private var place: Int
    private let end: Int

    package init(_ bytes: [UInt8], in range: Range<Int>) {
        reader = ByteReader(bytes)
        place = range.lowerBound
        end = range.upperBound
    }

    package var isAtEnd: Bool { place == end }

    package mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type = Value.self
    ) throws(Damage) -> Value {
        let size = MemoryLayout<Value>.size
        guard end - place >= size, let value: Value = reader.integer(at: place) else { throw Damage() }
        place += size
        return value
    }

    package mutating func bool() throws(Damage) -> Bool {
        switch try integer(UInt8.self) {
        case 0: false
        case 1: true
        default: throw Damage()
        }
    }

    package mutating func bytes() throws(Damage) -> ArraySlice<UInt8> {
        let count = Int(try integer(UInt32.self))
        guard count <= end - place else { throw Damage() }
        defer { place += count }
        return reader.bytes[place..<(place + count)]
    }

    package mutating func text() throws(Damage) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    /// As many elements as the count says; an element takes at least one byte, which bounds the count.
    package mutating func array<Element>(
        _ element: (inout ManifestReader) throws(Damage) -> Element
    ) throws(Damage) -> [Element] {
        let count = Int(try integer(UInt32.self))
        guard count <= end - place else { throw Damage() }
        var elements: [Element] = []
        for _ in 0..<count { elements.append(try element(&self)) }
        return elements
    }

    /// A list of one or none.
    package mutating func optional<Element>(
        _ element: (inout ManifestReader) throws(Damage) -> Element
    ) throws(Damage) -> Element? {
        let found = try array(element)
        guard found.count <= 1 else { throw Damage() }
        return found.first
    }
}
