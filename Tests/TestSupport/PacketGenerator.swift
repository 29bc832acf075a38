// SPDX-License-Identifier: Apache-2.0
import Packets

/// An endless sequence of varied packets for differential tests, the same one for the same seed:
///
///     for packet in PacketGenerator(seed: 1).prefix(2000) { … }
///
/// Addresses, ports and VLANs come from small pools, so that tables filled from some packets are hit by
/// others. No packet is shorter than an Ethernet header, the least that a test run takes.
public struct PacketGenerator<Random: RandomNumberGenerator>: Sequence, IteratorProtocol {
    private var random: Random

    public init(using random: Random) {
        self.random = random
    }

    public init(seed: UInt64) where Random == SeededGenerator {
        self.init(using: SeededGenerator(seed: seed))
    }

    /// A packet of a random kind.
    public mutating func next() -> Packet? {
        packet(choose(PacketKind.allCases))
    }

    /// A packet of one kind.
    public mutating func packet(_ kind: PacketKind) -> Packet {
        switch kind {
        case .arp: arp()
        case .udp: transport(over: ip(), .udp)
        case .tcp: transport(over: ip(), .tcp)
        case .ping: ip().ping(identifier: number(), sequence: number(), payload: bytes(upTo: 56))
        case .options: transport(over: ipv4(over: link(), options: choose(ipOptions)))
        case .extensionHeaders: transport(over: extended(ipv6(over: link())))
        case .fragment: fragment()
        case .vlan: transport(over: network(over: link().vlan(vlan(), priority: choose(0...7))))
        case .doubleTagged:
            transport(over: network(over: link().vlan(vlan(), protocol: 0x88a8).vlan(vlan())))
        case .ipip: transport(over: ipv4(over: ipv4(over: link())))
        case .sixInFour: transport(over: ipv6(over: ipv4(over: link())))
        case .gre: transport(over: network(over: ip().gre(key: flip() ? number() : nil)))
        case .gue: transport(over: network(over: tunnel(to: 6080).gue()))
        case .geneve: transport(over: network(over: tunnel(to: 6081).geneve(7).ethernet()))
        case .vxlan: transport(over: network(over: tunnel(to: 4789).vxlan(7).ethernet()))
        case .dns: dns()
        case .dhcp: dhcp()
        case .neighbourDiscovery: neighbourDiscovery()
        case .spanningTree: spanningTree()
        case .wrongChecksum: wrongChecksum()
        case .large: ip().udp(from: port(), to: port(), payload: bytes(1300...1400))
        case .padded: transport(over: ip()).padded(to: choose([60, 64, 128]))
        case .truncated: truncated()
        case .noise: .raw(bytes(14...200))
        }
    }
}

/// What a generated packet is.
public enum PacketKind: CaseIterable, Sendable {
    case arp, udp, tcp, ping
    /// IPv4 with options.
    case options
    /// IPv6 with extension headers.
    case extensionHeaders
    /// A first, middle or last fragment of either IP version.
    case fragment
    case vlan, doubleTagged
    case ipip, sixInFour, gre, gue, geneve, vxlan
    /// A DNS question, some with EDNS.
    case dns
    case dhcp, neighbourDiscovery
    /// An 802.3 frame with a length in place of the EtherType.
    case spanningTree
    /// A transport checksum that is wrong or absent.
    case wrongChecksum
    /// About 1.4 kB.
    case large
    /// Bytes behind the packet that no header knows of.
    case padded
    /// Cut short anywhere behind the Ethernet header.
    case truncated
    /// Random bytes.
    case noise
}

extension PacketGenerator {
    // MARK: - Choosing

    private mutating func choose<Options: Collection>(_ options: Options) -> Options.Element {
        options[
            options.index(options.startIndex, offsetBy: Int.random(in: 0..<options.count, using: &random))]
    }

    private mutating func flip() -> Bool {
        Bool.random(using: &random)
    }

    private mutating func number<Number: FixedWidthInteger>() -> Number {
        Number.random(in: .min ... .max, using: &random)
    }

    private mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
        (0..<choose(count)).map { _ in number() }
    }

    private mutating func bytes(upTo most: Int) -> [UInt8] {
        bytes(0...most)
    }

    private mutating func mac() -> Packet.MAC {
        Packet.MAC([2, 0, 0, 0, 0, choose(1...8)])
    }

    private mutating func address() -> Packet.IPv4 {
        choose([Packet.IPv4([192, 0, 2, choose(1...8)]), Packet.IPv4([198, 51, 100, choose(1...8)])])
    }

    private mutating func address6() -> Packet.IPv6 {
        Packet.IPv6([0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [choose(1...8)])
    }

    private mutating func port() -> UInt16 {
        choose([9, 19, 22, 53, 67, 80, 123, 443, 1900, 8080, 11211, choose(40000...40007)])
    }

    private mutating func vlan() -> UInt16 {
        choose([1, 42, 43, 100, 4094])
    }

    // MARK: - Headers

    private mutating func link() -> Packet {
        .ethernet(from: mac(), to: choose([mac(), mac(), mac(), .broadcast]))
    }

    private mutating func ipv4(over packet: Packet, options: [UInt8] = []) -> Packet {
        packet.ipv4(
            from: address(), to: address(), ttl: choose([1, 2, 31, 64, 255]),
            service: choose([0, 0, 0x10, 0xb8]), identification: number(),
            fragment: choose([.none, .forbidden]), options: options)
    }

    private mutating func ipv6(over packet: Packet) -> Packet {
        packet.ipv6(
            from: address6(), to: address6(), hopLimit: choose([1, 64, 255]),
            trafficClass: choose([0, 0, 0xb8]), flowLabel: choose([0, number()]))
    }

    private mutating func network(over packet: Packet) -> Packet {
        flip() ? ipv4(over: packet) : ipv6(over: packet)
    }

    private mutating func ip() -> Packet {
        network(over: link())
    }

    private mutating func tunnel(to port: UInt16) -> Packet {
        ip().udp(from: choose(49152...65535), to: port)
    }

    private enum Transport {
        case udp, tcp
    }

    private mutating func transport(over packet: Packet) -> Packet {
        transport(over: packet, choose([.udp, .tcp]))
    }

    private mutating func transport(over packet: Packet, _ transport: Transport) -> Packet {
        switch transport {
        case .udp:
            packet.udp(from: port(), to: port(), payload: bytes(upTo: 64))
        case .tcp:
            packet.tcp(
                from: port(), to: port(), flags: choose(tcpFlags), sequence: number(),
                acknowledgement: number(), window: number(), options: choose(tcpOptions),
                payload: bytes(upTo: 64))
        }
    }

    private mutating func extended(_ packet: Packet) -> Packet {
        let withOptions = flip() ? packet.hopByHop() : packet
        return flip() ? withOptions.destinationOptions() : withOptions.routing().destinationOptions()
    }

    // MARK: - Kinds

    private mutating func arp() -> Packet {
        let sender = mac()
        return .ethernet(from: sender, to: .broadcast)
            .arp(choose([.request, .reply]), senderMAC: sender, sender: address(), target: address())
    }

    private mutating func fragment() -> Packet {
        let position: Packet.Fragment = choose([.first, .middle(at: 512), .last(at: 1024)])
        let identification: UInt16 = number()
        if flip() {
            let packet = link().ipv4(
                from: address(), to: address(), identification: identification, fragment: position,
                protocol: 17)
            return position == .first
                ? packet.udp(from: port(), to: port(), payload: bytes(504...504))
                : packet.payload(bytes(512...512))
        }
        let packet = ipv6(over: link()).fragment(position, identification: UInt32(identification))
        return position == .first
            ? packet.udp(from: port(), to: port(), payload: bytes(504...504))
            : packet.payload(bytes(512...512))
    }

    private mutating func dns() -> Packet {
        let name: [UInt8] = choose([
            [7] + Array("example".utf8) + [3] + Array("com".utf8) + [0],
            [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3] + Array("org".utf8) + [0],
            [0],
        ])
        let extended = flip()
        // Identifier, "recursion desired", one question, and the number of additional records.
        var message: [UInt8] = bigEndian(number() as UInt16) + [1, 0, 0, 1, 0, 0, 0, 0, 0, extended ? 1 : 0]
        message += name + [0, choose([1, 28, 255]), 0, 1]
        // The EDNS pseudo record: root, type 41, 1232 bytes, no flags, no options.
        if extended { message += [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0] }
        return ip().udp(from: port(), to: 53, payload: message)
    }

    private mutating func dhcp() -> Packet {
        let client = mac()
        // BOOTREQUEST over Ethernet, with the client's address at 28, the magic at 236, and DISCOVER.
        var message: [UInt8] = [1, 1, 6, 0] + bytes(4...4) + [UInt8](repeating: 0, count: 20) + client.bytes
        message += [UInt8](repeating: 0, count: 236 - message.count)
        message += [0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]
        return .ethernet(from: client, to: .broadcast)
            .ipv4(from: "0.0.0.0", to: "255.255.255.255")
            .udp(from: 68, to: 67, payload: message)
    }

    private mutating func neighbourDiscovery() -> Packet {
        let sender = mac()
        let type: UInt8 = choose([133, 134, 135, 136])
        return .ethernet(from: sender, to: "33:33:00:00:00:01")
            .ipv6(from: address6(), to: "ff02::1", hopLimit: 255)
            .icmp(type: type, payload: address6().bytes + [1, 1] + sender.bytes)
    }

    private mutating func spanningTree() -> Packet {
        // LLC 42/42/03 and a configuration message.
        let message: [UInt8] = [0x42, 0x42, 0x03, 0, 0, 0, 0] + bytes(31...31)
        return .ethernet(from: mac(), to: "01:80:c2:00:00:00", type: UInt16(message.count))
            .payload(message).padded()
    }

    private mutating func wrongChecksum() -> Packet {
        let wrong: Packet.Checksum = choose([.wrong, .absent])
        return flip()
            ? ip().udp(from: port(), to: port(), payload: bytes(upTo: 64), checksum: wrong)
            : ip().tcp(from: port(), to: port(), flags: .ack, checksum: wrong)
    }

    private mutating func truncated() -> Packet {
        let whole = packet(choose(PacketKind.allCases.filter { $0 != .truncated }))
        let most = Swift.min(80, whole.bytes.count - 1)
        return whole.truncated(to: choose(14...Swift.max(14, most)))
    }
}

/// Segments as they should be, and some that no honest stack sends.
private let tcpFlags: [Packet.TCPFlags] = [
    .syn, [.syn, .ack], .ack, .ack, [.psh, .ack], [.fin, .ack], .rst, [.rst, .ack], [.syn, .ece, .cwr],
    [.syn, .fin], [], [.fin, .psh, .urg],
]

private let tcpOptions: [[UInt8]] = [
    [], [],
    [2, 4, 0x05, 0xb4],  // largest segment 1460
    [2, 4, 0x05, 0xb4, 4, 2, 1, 3, 3, 7],  // and selective acknowledgement, scale 7
]

private let ipOptions: [[UInt8]] = [
    [0x94, 4, 0, 0],  // router alert
    [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0],  // record route
    [1, 1, 1, 1],
    [UInt8](repeating: 1, count: 40),
]
