// SPDX-License-Identifier: Apache-2.0
import XDP

/// Bytes of a capture file, read piece by piece: never more than one record is held.
struct CaptureInput {
    private let read: () throws(XDPError) -> [UInt8]
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasEnded = false

    init(_ read: @escaping () throws(XDPError) -> [UInt8]) {
        self.read = read
    }

    /// Whether nothing comes any more.
    mutating func isAtEnd() throws(XDPError) -> Bool {
        try !has(1)
    }

    /// The next bytes; nil, and none of them is taken, if there are not so many.
    mutating func take(_ count: Int) throws(XDPError) -> [UInt8]? {
        guard try has(count) else { return nil }
        defer { start += count }
        return Array(buffer[start..<(start + count)])
    }

    /// The next bytes, which come again.
    mutating func peek(_ count: Int) throws(XDPError) -> [UInt8]? {
        guard try has(count) else { return nil }
        return Array(buffer[start..<(start + count)])
    }

    /// Leaves bytes out without holding them; false if there are not so many.
    mutating func skip(_ count: Int) throws(XDPError) -> Bool {
        var left = count
        while left > 0 {
            guard try has(1) else { return false }
            let step = min(left, buffer.count - start)
            start += step
            left -= step
        }
        return true
    }

    private mutating func has(_ count: Int) throws(XDPError) -> Bool {
        while buffer.count - start < count, !hasEnded {
            let piece = try read()
            hasEnded = piece.isEmpty
            if start > 0 {
                buffer.removeFirst(start)
                start = 0
            }
            buffer += piece
        }
        return buffer.count - start >= count
    }
}

/// Checked reads of numbers of either byte order; nil outside the bytes.
struct CaptureNumbers {
    let bytes: [UInt8]
    let isBigEndian: Bool

    func u16(_ offset: Int) -> Int? { number(offset, 2) }
    func u32(_ offset: Int) -> Int? { number(offset, 4) }
    func u64(_ offset: Int) -> UInt64? {
        guard let first = u32(offset), let second = u32(offset + 4) else { return nil }
        let (high, low) = isBigEndian ? (first, second) : (second, first)
        return UInt64(high) << 32 | UInt64(low)
    }

    /// UTF-8 up to the end, or to a zero.
    var text: String { text(from: 0) }

    func text(from offset: Int) -> String {
        String(decoding: bytes.dropFirst(offset).prefix { $0 != 0 }, as: UTF8.self)
    }

    private func number(_ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - count else { return nil }
        let slice = bytes[offset..<(offset + count)]
        return isBigEndian
            ? slice.reduce(0) { $0 << 8 | Int($1) } : slice.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
