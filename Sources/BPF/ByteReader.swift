// SPDX-License-Identifier: Apache-2.0

/// Checked reads of little-endian integers and strings from bytes that nobody vouches for.
///
/// Every read outside the bytes yields nil; no offset, however large, traps.
public struct ByteReader: Sendable {
    /// The bytes that are read.
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The integer that starts at a byte offset; nil if it does not lie wholly inside.
    @inlinable public func integer<Value: FixedWidthInteger & UnsignedInteger>(
        at offset: Int, as type: Value.Type = Value.self
    ) -> Value? {
        let size = MemoryLayout<Value>.size
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        return bytes.withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }

    /// A range of bytes; nil if it does not lie wholly inside.
    public func range(at offset: UInt64, count: UInt64) -> Range<Int>? {
        let size = UInt64(bytes.count)
        guard offset <= size, count <= size - offset else { return nil }
        return Int(offset)..<Int(offset + count)
    }

    /// The NUL-terminated text that starts at an offset inside `limits`; nil without the NUL.
    public func text(at offset: Int, within limits: Range<Int>) -> String? {
        guard limits.contains(offset), limits.upperBound <= bytes.count,
            let end = bytes[offset..<limits.upperBound].firstIndex(of: 0)
        else { return nil }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }
}
