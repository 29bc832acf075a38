// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The attributes in a stretch of bytes, read one after the other.
///
/// Layout of each, from `linux/netlink.h` (`struct nlattr`), host byte order, start aligned to four bytes:
///
/// | Offset | Size | Field |
/// |---|---|---|
/// | 0 | 2 | length of header and value, without padding |
/// | 2 | 2 | type; bit 15 says “nested”, bit 14 “network byte order” |
/// | 4 | length - 4 | value |
///
/// Reading ends at the first attribute whose length is below four or beyond the end, so that no message,
/// however hostile, makes it loop or read outside.
public struct Attributes: Sequence, Hashable, Sendable {
    /// The bytes that are read.
    public let bytes: ArraySlice<UInt8>

    /// Reads the attributes in `bytes`, which begin with an attribute's header.
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// The last attribute with this number, as the kernel's own parser has it; nil where there is none.
    public subscript(_ type: Int) -> Attribute? {
        var found: Attribute?
        for attribute in self where attribute.type == type {
            found = attribute
        }
        return found
    }

    /// Whether the bytes are attributes to their end, with nothing cut off.
    public var isWellFormed: Bool {
        var iterator = makeIterator()
        while iterator.next() != nil {}
        return iterator.isAtEnd
    }

    /// Starts at the first attribute.
    public func makeIterator() -> Iterator {
        Iterator(rest: bytes)
    }

    /// Walks from attribute to attribute.
    public struct Iterator: IteratorProtocol, Sendable {
        var rest: ArraySlice<UInt8>

        /// Whether all bytes were read.
        var isAtEnd: Bool { rest.isEmpty }

        /// The next attribute, or nil at the end and at the first malformed one.
        public mutating func next() -> Attribute? {
            guard let length = rest.integer(UInt16.self, at: 0).map(Int.init),
                let type = rest.integer(UInt16.self, at: 2),
                length >= MemoryLayout<nlattr>.size, length <= rest.count
            else { return nil }
            let value = rest.prefix(length).suffix(after: MemoryLayout<nlattr>.size)
            rest = rest.suffix(after: netlinkAligned(length))
            return Attribute(type: Int(type & ~(Self.nestedFlag | Self.networkOrderFlag)), value: value)
        }

        static let nestedFlag: UInt16 = 1 << 15
        static let networkOrderFlag: UInt16 = 1 << 14
    }
}
