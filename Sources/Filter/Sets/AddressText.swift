// SPDX-License-Identifier: Apache-2.0

/// Reads addresses as inet_pton(3) does, without a copy, for files with very many of them.
enum AddressText {
    /// `192.0.2.1` as a number; nil for anything else.
    static func ipv4(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            let digit = byte &- 48
            if digit < 10 {
                // No leading zeros: some read them as octal.
                if digits > 0, part == 0 { return nil }
                part = part &* 10 &+ UInt32(digit)
                digits &+= 1
                if part > 255 { return nil }
            } else if byte == 46 {
                guard digits > 0, dots < 3 else { return nil }
                value = value << 8 | part
                part = 0
                digits = 0
                dots &+= 1
            } else {
                return nil
            }
        }
        guard digits > 0, dots == 3 else { return nil }
        return value << 8 | part
    }

    /// `2001:db8::1` as a number; nil for anything else.
    static func ipv6(_ text: UnsafeBufferPointer<UInt8>) -> UInt128? {
        var place = 0
        let end = text.count
        // What stands before `::`, or everything; and what stands behind.
        var value: UInt128 = 0
        var groups = 0
        var gap: Int?
        if end >= 1, text[0] == 58 {
            guard end >= 2, text[1] == 58 else { return nil }
            gap = 0
            place = 2
        }
        while place < end {
            let start = place
            var group: UInt32 = 0
            while place < end, let digit = digit(text[place]) {
                guard place - start < 4 else { return nil }
                group = group << 4 | UInt32(digit)
                place += 1
            }
            if place < end, text[place] == 46 {
                guard groups <= 6, let last = ipv4(UnsafeBufferPointer(rebasing: text[start...])) else {
                    return nil
                }
                value = value << 32 | UInt128(last)
                groups += 2
                place = end
                break
            }
            guard place > start, groups < 8 else { return nil }
            value = value << 16 | UInt128(group)
            groups += 1
            guard place < end else { break }
            guard text[place] == 58 else { return nil }
            place += 1
            // A colon at the end is not one too many only if it is the second.
            guard place < end else { return nil }
            if text[place] == 58 {
                guard gap == nil else { return nil }
                gap = groups
                place += 1
            }
        }
        guard let gap else { return groups == 8 ? value : nil }
        guard groups < 8 else { return nil }
        let behind = UInt128(groups - gap) * 16
        // A shift by all bits is none of the kind that numbers here know.
        let low = behind == 0 ? 0 : value & ((1 << behind) - 1)
        let high = value >> behind
        return gap == 0 ? low : high << (UInt128(8 - gap) * 16) | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte &- 48
        case 65...70: byte &- 55
        case 97...102: byte &- 87
        default: nil
        }
    }

    /// The networks that cover a range of addresses of `bits` bits and nothing else, the lowest first.
    static func networks(
        from first: UInt128, through last: UInt128, bits: Int, _ body: (UInt128, Int) -> Void
    ) {
        var first = first
        while first <= last {
            // As large as its first address allows and as what is left allows; a length of 0 has no size that fits.
            var free = first == 0 ? bits : min(first.trailingZeroBitCount, bits)
            let left = last - first
            while free > 0, free == 128 ? left != .max : (1 << UInt128(free)) - 1 > left { free -= 1 }
            body(first, bits - free)
            guard free < 128, case let size = UInt128(1) << UInt128(free), left >= size else { return }
            first += size
        }
    }
}
