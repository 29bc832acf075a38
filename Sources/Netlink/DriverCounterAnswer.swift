// SPDX-License-Identifier: Apache-2.0

/// What was written into memory for a command of ethtool about a driver's counters, read with checks.
///
/// A driver says how many counters it has anew in every answer, and may have others by then. So the number in an answer counts,
/// as far as the memory goes, and never one that was told before.
///
/// | Command (linux/ethtool.h) | Written |
/// |---|---|
/// | `ETHTOOL_GSSET_INFO` | 8 bytes, then 8 of a mask, then 4: how many |
/// | `ETHTOOL_GSTRINGS` | 12 bytes, of which the last 4 say how many, then 32 for each name |
/// | `ETHTOOL_GSTATS` | 8 bytes, of which the last 4 say how many, then 8 for each value |
package struct DriverCounterAnswer: ~Copyable {
    private let bytes: UnsafeRawBufferPointer

    /// `ETH_GSTRING_LEN`
    package static let nameSize = 32
    private static let namesStart = 12
    private static let valuesStart = 8

    /// Bytes that hold an answer of so many counters of whichever command.
    static func size(for count: Int) -> Int { namesStart + count * nameSize }

    /// - Parameter bytes: the command's structure, and all the memory behind it. It has to outlive this value.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// How many counters there are; 0 where the driver took the set's bit out of the mask: it has none.
    package var count: Int {
        guard integer(UInt64.self, at: 8) != 0 else { return 0 }
        return Int(integer(UInt32.self, at: 16) ?? 0)
    }

    /// The names, in the driver's order; nil if there are more than were written into the memory. One without NUL is all of its
    /// 32 bytes, and what is no UTF-8 in it is replaced.
    package var names: [String]? {
        guard let count = written(at: 8, from: Self.namesStart, each: Self.nameSize) else { return nil }
        return (0..<count).map { place in
            let start = Self.namesStart + place * Self.nameSize
            return String(
                decoding: bytes[start..<start + Self.nameSize].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The values; nil unless they are as many as the names that were read before.
    package func values(count expected: Int) -> [UInt64]? {
        guard let count = written(at: 4, from: Self.valuesStart, each: 8), count == expected else {
            return nil
        }
        return (0..<count).map { integer(UInt64.self, at: Self.valuesStart + $0 * 8) ?? 0 }
    }

    /// How many are in the answer, if the memory has them all.
    private func written(at place: Int, from start: Int, each size: Int) -> Int? {
        guard let count = integer(UInt32.self, at: place), bytes.count >= start,
            Int(count) <= (bytes.count - start) / size
        else { return nil }
        return Int(count)
    }

    private func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type, at offset: Int
    ) -> Value? {
        guard offset + MemoryLayout<Value>.size <= bytes.count else { return nil }
        return bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
