// SPDX-License-Identifier: Apache-2.0
import Filter

/// The checksum of TCP or UDP in a packet (RFC 1071), as far as it can be computed: of a packet that is there whole and is no
/// fragment.
enum ChecksumCheck {
    /// nil where there is none, or it cannot be told.
    static func isRight(_ bytes: [UInt8], _ fields: PacketFields) -> Bool? {
        guard !fields.isFirstFragment, !fields.isLaterFragment, let network = fields.networkOffset,
            let transport = fields.transportOffset, let number = fields.numbers[.protocol],
            number == 6 || number == 17, let end = end(bytes, network), end <= bytes.count,
            transport + (number == 6 ? 18 : 8) <= end
        else { return nil }
        let isIPv6 = bytes[network] >> 4 == 6
        let field = transport + (number == 6 ? 16 : 6)
        // UDP of IPv4 may have none.
        if number == 17, !isIPv6, bytes[field] == 0, bytes[field + 1] == 0 { return nil }
        let addresses = isIPv6 ? network + 8..<network + 40 : network + 12..<network + 20
        var sum = UInt32(number) + UInt32(end - transport)
        add(bytes[addresses], to: &sum)
        add(bytes[transport..<end], to: &sum)
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return sum == 0xffff
    }

    /// Where the IP packet ends; behind it there may be padding.
    private static func end(_ bytes: [UInt8], _ network: Int) -> Int? {
        func word(_ place: Int) -> Int { Int(bytes[place]) << 8 | Int(bytes[place + 1]) }
        if bytes[network] >> 4 == 4 {
            guard network + 20 <= bytes.count else { return nil }
            return network + word(network + 2)
        }
        guard network + 40 <= bytes.count else { return nil }
        return network + 40 + word(network + 4)
    }

    private static func add(_ bytes: ArraySlice<UInt8>, to sum: inout UInt32) {
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let low = place + 1 < bytes.endIndex ? UInt32(bytes[place + 1]) : 0
            sum += UInt32(bytes[place]) << 8 + low
            if sum > 0xffff_0000 { sum = sum >> 16 + sum & 0xffff }
            place += 2
        }
    }
}
