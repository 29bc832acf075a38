// SPDX-License-Identifier: Apache-2.0

extension ArraySlice<UInt8> {
    /// The integer in host byte order that starts `offset` bytes in, or nil where the bytes end before it
    /// does.
    func integer<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type, at offset: Int = 0) -> Value? {
        guard offset >= 0, count >= MemoryLayout<Value>.size,
            offset <= count - MemoryLayout<Value>.size
        else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    /// The bytes from `offset` on; empty where there are none.
    func suffix(after offset: Int) -> ArraySlice<UInt8> {
        offset >= count ? [] : dropFirst(Swift.max(offset, 0))
    }

    /// The text up to the first NUL or the end, decoded as UTF-8 with replacement of what is not UTF-8.
    var terminatedString: String {
        String(decoding: prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// Rounds up to the four bytes that netlink messages and attributes are aligned to.
func netlinkAligned(_ length: Int) -> Int {
    (length + 3) & ~3
}
