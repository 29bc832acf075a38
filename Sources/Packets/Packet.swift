// SPDX-License-Identifier: Apache-2.0

/// A test packet, written from the outside in:
///
///     Packet.ethernet().vlan(42)
///         .ipv4(from: "192.0.2.1", to: "198.51.100.7")
///         .udp(from: 1234, to: 53, payload: query)
///
/// Each header knows its neighbours: EtherTypes, protocol numbers, lengths and checksums are filled in when
/// ``bytes`` is read. Whatever a test wants to be wrong it says in so many words (`checksum: .wrong`,
/// `type: 0x1234`, ``truncated(to:)``).
public struct Packet: Sendable, Hashable {
    /// The headers from the outermost to the payload.
    var layers: [Layer]

    /// The packet on the wire.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for index in layers.indices.reversed() {
            bytes = encode(layers[index], at: index, around: bytes)
        }
        return bytes
    }

    /// A packet that is just these bytes. More headers can follow it.
    public static func raw(_ bytes: some Sequence<UInt8>) -> Packet {
        Packet(layers: [.payload(Array(bytes))])
    }

    func adding(_ layer: Layer) -> Packet {
        Packet(layers: layers + [layer])
    }

    // MARK: - Link layer

    /// An Ethernet frame. Without `type` the EtherType is that of the next header.
    public static func ethernet(
        from source: MAC = "02:00:00:00:00:01", to destination: MAC = "02:00:00:00:00:02",
        type: UInt16? = nil
    ) -> Packet {
        Packet(layers: []).ethernet(from: source, to: destination, type: type)
    }

    /// An Ethernet frame inside a tunnel.
    public func ethernet(
        from source: MAC = "02:00:00:00:00:01", to destination: MAC = "02:00:00:00:00:02",
        type: UInt16? = nil
    ) -> Packet {
        adding(.ethernet(source: source, destination: destination, type: type))
    }

    /// A VLAN tag. `protocol` 0x88a8 makes it a service tag (802.1ad).
    public func vlan(_ id: UInt16, priority: UInt8 = 0, protocol: UInt16 = 0x8100) -> Packet {
        adding(.vlan(id: id, priority: priority, protocol: `protocol`))
    }

    /// A question for, or an answer with, the MAC address of an IPv4 address.
    public func arp(
        _ operation: ARPOperation, senderMAC: MAC = "02:00:00:00:00:01", sender: IPv4,
        targetMAC: MAC = .zero, target: IPv4
    ) -> Packet {
        adding(
            .arp(
                operation: operation.rawValue, senderMAC: senderMAC, sender: sender,
                targetMAC: targetMAC, target: target))
    }

    // MARK: - Network layer

    /// An IPv4 header. Without `protocol` it is that of the next header, without `totalLength` the true one.
    /// Options are padded with zeros.
    public func ipv4(
        from source: IPv4 = "192.0.2.1", to destination: IPv4 = "198.51.100.7", ttl: UInt8 = 64,
        service: UInt8 = 0, identification: UInt16 = 0, fragment: Fragment = .none,
        options: [UInt8] = [], protocol: UInt8? = nil, totalLength: UInt16? = nil,
        checksum: Checksum = .correct
    ) -> Packet {
        adding(
            .ipv4(
                IPv4Header(
                    source: source, destination: destination, ttl: ttl, service: service,
                    identification: identification, fragment: fragment,
                    options: filled(options, toMultipleOf: 4), protocol: `protocol`,
                    totalLength: totalLength, checksum: checksum)))
    }

    /// An IPv6 header. Without `next` it names the header that follows, without `payloadLength` the true one.
    public func ipv6(
        from source: IPv6 = "2001:db8::1", to destination: IPv6 = "2001:db8::2",
        hopLimit: UInt8 = 64, trafficClass: UInt8 = 0, flowLabel: UInt32 = 0, next: UInt8? = nil,
        payloadLength: UInt16? = nil
    ) -> Packet {
        adding(
            .ipv6(
                IPv6Header(
                    source: source, destination: destination, hopLimit: hopLimit,
                    trafficClass: trafficClass, flowLabel: flowLabel, next: next,
                    payloadLength: payloadLength)))
    }

    /// An IPv6 hop-by-hop options header. Empty options are six bytes of padding.
    public func hopByHop(_ options: [UInt8] = []) -> Packet {
        extensionHeader(0, options.isEmpty ? [1, 4, 0, 0, 0, 0] : options)
    }

    /// An IPv6 destination options header.
    public func destinationOptions(_ options: [UInt8] = []) -> Packet {
        extensionHeader(60, options.isEmpty ? [1, 4, 0, 0, 0, 0] : options)
    }

    /// An IPv6 routing header of an experimental type with nothing left to visit.
    public func routing(type: UInt8 = 253) -> Packet {
        extensionHeader(43, [type, 0, 0, 0, 0, 0])
    }

    /// An IPv6 extension header of the common form: its number, and what stands behind next header and length.
    /// Without `next` it names the header that follows.
    public func extensionHeader(_ number: UInt8, _ content: [UInt8] = [], next: UInt8? = nil) -> Packet {
        adding(.optionsHeader(number: number, content: content, next: next))
    }

    /// An authentication header with an integrity value, which is padded with zeros.
    public func authentication(_ value: [UInt8] = [UInt8](repeating: 0, count: 12)) -> Packet {
        adding(.authentication(filled(value, toMultipleOf: 4)))
    }

    /// An IPv6 fragment header. The offset is in bytes. Without `next` it names the header that follows.
    public func fragment(
        _ fragment: Fragment, identification: UInt32 = 0, next: UInt8? = nil
    ) -> Packet {
        adding(.fragmentHeader(fragment, identification: identification, next: next))
    }

    /// GRE, with IPv4, IPv6 or Ethernet inside.
    public func gre(key: UInt32? = nil) -> Packet {
        adding(.gre(key: key))
    }

    // MARK: - Transport layer

    /// UDP. `.absent` as checksum leaves it 0, which IPv4 allows.
    public func udp(
        from source: UInt16 = 40000, to destination: UInt16 = 9,
        payload: some Sequence<UInt8> = EmptyCollection(), checksum: Checksum = .correct
    ) -> Packet {
        adding(.udp(source: source, destination: destination, checksum: checksum)).payload(payload)
    }

    /// TCP. Options are padded with zeros.
    public func tcp(
        from source: UInt16 = 40000, to destination: UInt16 = 80, flags: TCPFlags = .syn,
        sequence: UInt32 = 1, acknowledgement: UInt32 = 0, window: UInt16 = 65535,
        options: [UInt8] = [], payload: some Sequence<UInt8> = EmptyCollection(),
        checksum: Checksum = .correct
    ) -> Packet {
        let header = TCPHeader(
            source: source, destination: destination, sequence: sequence,
            acknowledgement: acknowledgement, flags: flags, window: window,
            options: filled(options, toMultipleOf: 4), checksum: checksum)
        return adding(.tcp(header)).payload(payload)
    }

    /// ICMP behind an IPv4 header, ICMPv6 behind an IPv6 header. `rest` is the header's second word.
    public func icmp(
        type: UInt8, code: UInt8 = 0, rest: UInt32 = 0,
        payload: some Sequence<UInt8> = EmptyCollection(), checksum: Checksum = .correct
    ) -> Packet {
        adding(.icmp(type: type, code: code, rest: rest, checksum: checksum)).payload(payload)
    }

    /// An echo request of the enclosing IP version.
    public func ping(
        identifier: UInt16 = 1, sequence: UInt16 = 1,
        payload: some Sequence<UInt8> = EmptyCollection()
    ) -> Packet {
        let type: UInt8 = if case .ipv6 = enclosingIP(of: layers.count) { 128 } else { 8 }
        return icmp(type: type, rest: UInt32(identifier) << 16 | UInt32(sequence), payload: payload)
    }

    // MARK: - Tunnels over UDP, to be put behind `udp`

    /// A VXLAN header (usually port 4789), with Ethernet inside.
    public func vxlan(_ network: UInt32) -> Packet {
        adding(.vxlan(network: network))
    }

    /// A Geneve header without options (usually port 6081).
    public func geneve(_ network: UInt32) -> Packet {
        adding(.geneve(network: network))
    }

    /// A GUE header, version 0 without options (usually port 6080), with IP inside.
    public func gue() -> Packet {
        adding(.gue)
    }

    // MARK: - Payload and mutilation

    /// Bytes behind the headers so far.
    public func payload(_ bytes: some Sequence<UInt8>) -> Packet {
        let bytes = Array(bytes)
        return bytes.isEmpty ? self : adding(.payload(bytes))
    }

    /// As many bytes, counting up from zero and round again.
    public func payload(length: Int) -> Packet {
        payload((0..<length).map { UInt8(truncatingIfNeeded: $0) })
    }

    /// The first bytes of this packet, whose headers still speak of all of it.
    public func truncated(to length: Int) -> Packet {
        .raw(bytes.prefix(length))
    }

    /// This packet with zeros behind it, as Ethernet's least length demands; no header knows of them.
    public func padded(to length: Int = 60) -> Packet {
        let bytes = bytes
        return .raw(bytes + [UInt8](repeating: 0, count: max(0, length - bytes.count)))
    }

    /// This packet with one byte changed.
    public func replacing(byteAt offset: Int, with byte: UInt8) -> Packet {
        var bytes = bytes
        bytes[offset] = byte
        return .raw(bytes)
    }
}

extension Packet {
    /// What to put where a checksum belongs.
    public enum Checksum: Sendable, Hashable {
        case correct
        /// Zero.
        case absent
        /// The correct one with its lowest bit inverted.
        case wrong
    }

    /// What an ARP packet is.
    public enum ARPOperation: UInt16, Sendable {
        case request = 1
        case reply = 2
    }

    /// Which part of a datagram an IP packet carries.
    public struct Fragment: Sendable, Hashable {
        /// Where its data belong in the whole, in bytes: a multiple of eight.
        public var offset: Int
        /// Whether this is not the last part.
        public var moreFollow: Bool
        /// The "don't fragment" bit, which only IPv4 has.
        public var forbidden: Bool

        public init(offset: Int, moreFollow: Bool, forbidden: Bool = false) {
            precondition(offset.isMultiple(of: 8), "a fragment begins at a multiple of eight bytes")
            self.offset = offset
            self.moreFollow = moreFollow
            self.forbidden = forbidden
        }

        /// A whole datagram.
        public static let none = Fragment(offset: 0, moreFollow: false)
        /// A whole datagram that must stay whole.
        public static let forbidden = Fragment(offset: 0, moreFollow: false, forbidden: true)
        /// The first of several parts.
        public static let first = Fragment(offset: 0, moreFollow: true)

        /// A part that is neither first nor last.
        public static func middle(at offset: Int) -> Fragment {
            Fragment(offset: offset, moreFollow: true)
        }

        /// The last of several parts.
        public static func last(at offset: Int) -> Fragment {
            Fragment(offset: offset, moreFollow: false)
        }
    }

    /// The flags of a TCP segment.
    public struct TCPFlags: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let fin = TCPFlags(rawValue: 0x01)
        public static let syn = TCPFlags(rawValue: 0x02)
        public static let rst = TCPFlags(rawValue: 0x04)
        public static let psh = TCPFlags(rawValue: 0x08)
        public static let ack = TCPFlags(rawValue: 0x10)
        public static let urg = TCPFlags(rawValue: 0x20)
        public static let ece = TCPFlags(rawValue: 0x40)
        public static let cwr = TCPFlags(rawValue: 0x80)
    }
}

extension Packet: CustomStringConvertible {
    /// The headers and the length: `ethernet, vlan 42, ipv4, udp 1234>53, 51 bytes`.
    public var description: String {
        (layers.map(\.description) + ["\(bytes.count) bytes"]).joined(separator: ", ")
    }
}

/// `bytes` with zeros at its end, up to a multiple of `unit`.
private func filled(_ bytes: [UInt8], toMultipleOf unit: Int) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (unit - bytes.count % unit) % unit)
}
