// SPDX-License-Identifier: Apache-2.0

extension Packet {
    /// One header, or what is behind the last one.
    enum Layer: Sendable, Hashable {
        case ethernet(source: MAC, destination: MAC, type: UInt16?)
        case vlan(id: UInt16, priority: UInt8, protocol: UInt16)
        case arp(operation: UInt16, senderMAC: MAC, sender: IPv4, targetMAC: MAC, target: IPv4)
        case ipv4(IPv4Header)
        case ipv6(IPv6Header)
        /// An IPv6 extension header of the common form: next header, length, content.
        case optionsHeader(number: UInt8, content: [UInt8], next: UInt8?)
        /// IPsec's header, with its integrity value.
        case authentication([UInt8])
        case fragmentHeader(Fragment, identification: UInt32, next: UInt8?)
        case gre(key: UInt32?)
        case udp(source: UInt16, destination: UInt16, checksum: Checksum)
        case tcp(TCPHeader)
        case icmp(type: UInt8, code: UInt8, rest: UInt32, checksum: Checksum)
        case vxlan(network: UInt32)
        case geneve(network: UInt32)
        case gue
        case payload([UInt8])
    }

    struct IPv4Header: Sendable, Hashable {
        var source: IPv4
        var destination: IPv4
        var ttl: UInt8
        var service: UInt8
        var identification: UInt16
        var fragment: Fragment
        var options: [UInt8]
        var `protocol`: UInt8?
        var totalLength: UInt16?
        var checksum: Checksum
    }

    struct IPv6Header: Sendable, Hashable {
        var source: IPv6
        var destination: IPv6
        var hopLimit: UInt8
        var trafficClass: UInt8
        var flowLabel: UInt32
        var next: UInt8?
        var payloadLength: UInt16?
    }

    struct TCPHeader: Sendable, Hashable {
        var source: UInt16
        var destination: UInt16
        var sequence: UInt32
        var acknowledgement: UInt32
        var flags: TCPFlags
        var window: UInt16
        var options: [UInt8]
        var checksum: Checksum
    }
}

extension Packet {
    /// A layer's bytes with those of all layers inside it behind them.
    func encode(_ layer: Layer, at index: Int, around inner: [UInt8]) -> [UInt8] {
        let next = index + 1 < layers.count ? layers[index + 1] : nil
        switch layer {
        case .ethernet(let source, let destination, let type):
            return destination.bytes + source.bytes + bigEndian(type ?? etherType(of: next)) + inner
        case .vlan(let id, let priority, _):
            return bigEndian(UInt16(priority) << 13 | id & 0xfff) + bigEndian(etherType(of: next)) + inner
        case .arp(let operation, let senderMAC, let sender, let targetMAC, let target):
            let kind: [UInt8] = [0, 1, 0x08, 0x00, 6, 4]
            return kind + bigEndian(operation) + senderMAC.bytes + sender.bytes + targetMAC.bytes
                + target.bytes + inner
        case .ipv4(let header):
            return encode(header, next: next, around: inner)
        case .ipv6(let header):
            let first = 6 << 28 | UInt32(header.trafficClass) << 20 | header.flowLabel & 0xfffff
            return bigEndian(first) + bigEndian(header.payloadLength ?? UInt16(inner.count))
                + [header.next ?? protocolNumber(of: next, behind: layer), header.hopLimit]
                + header.source.bytes + header.destination.bytes + inner
        case .optionsHeader(_, let content, let named):
            let units = (content.count + 2 + 7) / 8
            let padding = [UInt8](repeating: 0, count: units * 8 - 2 - content.count)
            return [named ?? protocolNumber(of: next, behind: layer), UInt8(units - 1)] + content + padding
                + inner
        case .authentication(let value):
            // Counted in words without the first two; then two reserved bytes, and parameters and sequence number 1.
            return [protocolNumber(of: next, behind: layer), UInt8(1 + value.count / 4), 0, 0]
                + bigEndian(1 as UInt32) + bigEndian(1 as UInt32) + value + inner
        case .fragmentHeader(let fragment, let identification, let named):
            let position = UInt16(fragment.offset) | (fragment.moreFollow ? 1 : 0)
            return [named ?? protocolNumber(of: next, behind: layer), 0] + bigEndian(position)
                + bigEndian(identification) + inner
        case .gre(let key):
            let flags: UInt16 = key == nil ? 0 : 0x2000
            return bigEndian(flags) + bigEndian(etherType(of: next)) + (key.map(bigEndian) ?? []) + inner
        case .udp(let source, let destination, let checksum):
            let length = UInt16(truncatingIfNeeded: inner.count + 8)
            let header = bigEndian(source) + bigEndian(destination) + bigEndian(length)
            // A computed 0 is sent as its other representation, because 0 means "none".
            let sum = transportChecksum(of: header + [0, 0] + inner, protocol: 17, at: index)
            return header + bigEndian(checksum.apply(to: sum == 0 ? 0xffff : sum)) + inner
        case .tcp(let tcp):
            let header =
                bigEndian(tcp.source) + bigEndian(tcp.destination) + bigEndian(tcp.sequence)
                + bigEndian(tcp.acknowledgement)
                + [UInt8(5 + tcp.options.count / 4) << 4, tcp.flags.rawValue] + bigEndian(tcp.window)
            let rest = [0, 0] + tcp.options + inner
            let sum = transportChecksum(of: header + [0, 0] + rest, protocol: 6, at: index)
            return header + bigEndian(tcp.checksum.apply(to: sum)) + rest
        case .icmp(let type, let code, let word, let checksum):
            let rest = bigEndian(word) + inner
            let message = [type, code, 0, 0] + rest
            // ICMPv6 sums the addresses too.
            let sum =
                if case .ipv6 = enclosingIP(of: index) {
                    transportChecksum(of: message, protocol: 58, at: index)
                } else {
                    internetChecksum(of: message)
                }
            return [type, code] + bigEndian(checksum.apply(to: sum)) + rest
        case .vxlan(let network):
            return bigEndian(0x0800_0000 as UInt32) + bigEndian(network << 8) + inner
        case .geneve(let network):
            return [0, 0] + bigEndian(etherType(of: next)) + bigEndian(network << 8) + inner
        case .gue:
            return [0, protocolNumber(of: next, behind: layer), 0, 0] + inner
        case .payload(let bytes):
            return bytes + inner
        }
    }

    private func encode(_ ip: IPv4Header, next: Layer?, around inner: [UInt8]) -> [UInt8] {
        var position = UInt16(ip.fragment.offset / 8)
        if ip.fragment.moreFollow { position |= 0x2000 }
        if ip.fragment.forbidden { position |= 0x4000 }
        let words = 5 + ip.options.count / 4
        let header =
            [0x40 | UInt8(words), ip.service] + bigEndian(ip.totalLength ?? UInt16(words * 4 + inner.count))
            + bigEndian(ip.identification) + bigEndian(position)
            + [ip.ttl, ip.protocol ?? protocolNumber(of: next, behind: .ipv4(ip))]
        let addresses = ip.source.bytes + ip.destination.bytes + ip.options
        let sum = internetChecksum(of: header + [0, 0] + addresses)
        return header + bigEndian(ip.checksum.apply(to: sum)) + addresses + inner
    }

    /// The nearest IP header outside the layer at an index.
    func enclosingIP(of index: Int) -> Layer? {
        layers[..<index].last { layer in
            switch layer {
            case .ipv4, .ipv6: true
            default: false
            }
        }
    }

    /// The checksum of a transport header and what follows, with the pseudo header of its IP header.
    private func transportChecksum(of message: [UInt8], protocol: UInt8, at index: Int) -> UInt16 {
        switch enclosingIP(of: index) {
        case .ipv4(let ip):
            internetChecksum(
                of: ip.source.bytes + ip.destination.bytes + [0, `protocol`]
                    + bigEndian(UInt16(truncatingIfNeeded: message.count)) + message)
        case .ipv6(let ip):
            internetChecksum(
                of: ip.source.bytes + ip.destination.bytes + bigEndian(UInt32(message.count))
                    + [0, 0, 0, `protocol`] + message)
        default:
            internetChecksum(of: message)
        }
    }
}

extension Packet.Checksum {
    func apply(to sum: UInt16) -> UInt16 {
        switch self {
        case .correct: sum
        case .absent: 0
        case .wrong: sum ^ 1
        }
    }
}

/// The number by which Ethernet, a VLAN tag, GRE and Geneve name what they carry.
private func etherType(of layer: Packet.Layer?) -> UInt16 {
    switch layer {
    case .vlan(_, _, let `protocol`): `protocol`
    case .arp: 0x0806
    case .ipv4: 0x0800
    case .ipv6: 0x86dd
    case .ethernet: 0x6558  // transparent Ethernet bridging
    default: 0x88b5  // for local experiments
    }
}

/// The number by which an IP header names what it carries.
private func protocolNumber(of layer: Packet.Layer?, behind outer: Packet.Layer) -> UInt8 {
    switch layer {
    case .icmp: if case .ipv4 = outer { 1 } else { 58 }
    case .ipv4: 4
    case .tcp: 6
    case .udp: 17
    case .ipv6: 41
    case .gre: 47
    case .optionsHeader(let number, _, _): number
    case .authentication: 51
    case .fragmentHeader: 44
    case .ethernet: 143
    case nil: 59  // nothing
    default: 253  // for experiments
    }
}

/// The bytes of a number in network order.
package func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
}

/// The checksum of RFC 1071: the complement of the one's complement sum of all 16-bit words. Of data which
/// include their correct checksum it is 0.
public func internetChecksum(of bytes: [UInt8]) -> UInt16 {
    var sum: UInt64 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
        let low = index + 1 < bytes.count ? bytes[index + 1] : 0
        sum += UInt64(bytes[index]) << 8 | UInt64(low)
    }
    while sum > 0xffff {
        sum = sum & 0xffff + sum >> 16
    }
    return ~UInt16(sum)
}

extension Packet.Layer: CustomStringConvertible {
    var description: String {
        switch self {
        case .ethernet: "ethernet"
        case .vlan(let id, _, _): "vlan \(id)"
        case .arp: "arp"
        case .ipv4(let header): header.fragment.offset > 0 ? "ipv4 fragment" : "ipv4"
        case .ipv6: "ipv6"
        case .optionsHeader(let number, _, _): "ipv6 header \(number)"
        case .authentication: "authentication"
        case .fragmentHeader: "ipv6 fragment"
        case .gre: "gre"
        case .udp(let source, let destination, _): "udp \(source)>\(destination)"
        case .tcp(let header): "tcp \(header.source)>\(header.destination)"
        case .icmp(let type, let code, _, _): "icmp \(type)/\(code)"
        case .vxlan(let network): "vxlan \(network)"
        case .geneve(let network): "geneve \(network)"
        case .gue: "gue"
        case .payload(let bytes): "payload \(bytes.count)"
        }
    }
}
