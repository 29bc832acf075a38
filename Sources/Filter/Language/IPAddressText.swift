// SPDX-License-Identifier: Apache-2.0
import Netlink

/// Reads addresses from bytes.
enum IPAddressText {
    /// An address as inet_pton(3) reads it.
    static func address(_ text: ArraySlice<UInt8>) -> IPAddress? {
        if let address = ipv4(text) { return address }
        guard text.count <= 45, text.contains(UInt8(ascii: ":")) else { return nil }
        return IPAddress(parsing: String(decoding: text, as: UTF8.self))
    }

    static func isAddress(_ text: ArraySlice<UInt8>) -> Bool { address(text) != nil }

    /// Four decimal numbers without leading zeros.
    private static func ipv4(_ text: ArraySlice<UInt8>) -> IPAddress? {
        guard text.count >= 7, text.count <= 15 else { return nil }
        var parts: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
        var index = 0
        var value = 0
        var digits = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits > 0, value == 0 { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                digits += 1
                if value > 255 { return nil }
            case UInt8(ascii: "."):
                guard digits > 0 else { return nil }
                switch index {
                case 0: parts.0 = UInt8(value)
                case 1: parts.1 = UInt8(value)
                case 2: parts.2 = UInt8(value)
                default: return nil
                }
                index += 1
                value = 0
                digits = 0
            default: return nil
            }
        }
        guard index == 3, digits > 0 else { return nil }
        parts.3 = UInt8(value)
        return IPAddress(parts.0, parts.1, parts.2, parts.3)
    }

    /// The fewest networks that hold the addresses from one to another; nil if they are not of one family or not
    /// in this order.
    static func networks(from first: IPAddress, to last: IPAddress) -> [IPPrefix]? {
        guard first.isIPv6 == last.isIPv6 else { return nil }
        let bits = first.bytes.count * 8
        var low = number(first)
        let high = number(last)
        guard low <= high else { return nil }
        var result: [IPPrefix] = []
        while true {
            // The largest block that begins here and does not go beyond the end.
            var size = min(low.trailingZeroBitCount, bits)
            while size > 0, size == 128 || high - low < (UInt128(1) << size) - 1 {
                // All of IPv6 is the one block whose size has no number.
                if size == 128, low == 0, high == .max { break }
                size -= 1
            }
            guard let prefix = IPPrefix(address(low, bits: bits), length: bits - size) else { return nil }
            result.append(prefix)
            if size == 128 { return result }
            let (next, overflow) = low.addingReportingOverflow(UInt128(1) << size)
            if overflow || next > high { return result }
            low = next
        }
    }

    private static func number(_ address: IPAddress) -> UInt128 {
        address.bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    private static func address(_ number: UInt128, bits: Int) -> IPAddress {
        let bytes = stride(from: bits - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
        return IPAddress(bytes: bytes) ?? IPAddress(0, 0, 0, 0)
    }
}
