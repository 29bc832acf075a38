// SPDX-License-Identifier: Apache-2.0
import Netlink
import Packets

/// What a written packet says, and the packet that is made of it.
struct PacketDraft {
    /// What is in the frame.
    enum Kind: Hashable {
        case transport(UInt8)
        case icmp, icmp6
        case ip
        case arp(isReply: Bool)
        case frame(UInt16)
        case bytes([UInt8])
    }

    struct Endpoint {
        var address: IPAddress?
        var port: UInt16?
        var column: Int
    }

    /// Words that do not go together.
    struct Problem: Error {
        let what: String
        let column: Int
        var remedy: String?
    }

    var kind: Kind?
    var kindColumn = 1
    var source: Endpoint?
    var destination: Endpoint?
    var flags: UInt8?
    var flagsColumn = 1
    var type: UInt8?
    var code: UInt8?
    var vlans: [UInt16] = []
    var sourceMAC: MACAddress?
    var destinationMAC: MACAddress?
    var ttl: UInt8?
    var service: UInt8?
    var fragment: FragmentKind?
    var length: (value: Int, column: Int)?
    var cut: Int?
    var queue: UInt32 = 0
    var interface: String?

    func packet(written text: String) throws(Problem) -> WrittenPacket {
        try check()
        var bytes = frame(filling: 0).bytes
        var whole: Int?
        if let length {
            if case .bytes = kind {
                // The first buffer of a longer frame.
                whole = length.value
            } else if length.value >= bytes.count {
                bytes = frame(filling: length.value - bytes.count).bytes
            }
            if length.value < bytes.count {
                throw Problem(
                    what: "what is said of the packet makes \(bytes.count) bytes", column: length.column,
                    remedy: "for a packet of which less arrives: cut \(length.value)")
            }
        }
        if let cut { bytes = Array(bytes.prefix(cut)) }
        return WrittenPacket(text: text, bytes: bytes, length: whole, queue: queue, interface: interface)
    }

    // MARK: - Checks

    private func check() throws(Problem) {
        let addresses = [source, destination].compactMap { $0 }.filter { $0.address != nil }
        if addresses.count == 2, addresses[0].address?.isIPv6 != addresses[1].address?.isIPv6 {
            throw Problem(what: "both addresses have to be of one family", column: addresses[1].column)
        }
        switch kind {
        case .arp:
            if let six = addresses.first(where: { $0.address?.isIPv6 == true }) {
                throw Problem(
                    what: "ARP has IPv4 addresses", column: six.column,
                    remedy: "IPv6 asks with icmpv6 neighbour-solicitation")
            }
        case .frame, .bytes:
            if let address = [source, destination].compactMap({ $0 }).first {
                throw Problem(what: "such a frame has no addresses of IP", column: address.column)
            }
        default: break
        }
        if let ported = [source, destination].compactMap({ $0 }).first(where: { $0.port != nil }), !hasPorts {
            throw Problem(
                what: "this packet has no ports", column: ported.column, remedy: "put tcp or udp before it")
        }
        if flags != nil, kind != .transport(6) {
            throw Problem(what: "flags are of TCP", column: flagsColumn, remedy: "put tcp before them")
        }
        if type != nil || code != nil, kind != .icmp, kind != .icmp6 {
            throw Problem(
                what: "types and codes are of ICMP", column: kindColumn, remedy: "write icmp or icmpv6")
        }
        if kind == .icmp, addresses.contains(where: { $0.address?.isIPv6 == true }) {
            throw Problem(
                what: "with IPv6 addresses it is icmpv6", column: kindColumn,
                remedy: "for ICMP in IPv6, which has no meaning: proto 1")
        }
        if kind == .icmp6, addresses.contains(where: { $0.address?.isIPv6 == false }) {
            throw Problem(
                what: "with IPv4 addresses it is icmp", column: kindColumn,
                remedy: "for ICMPv6 in IPv4, which has no meaning: proto 58")
        }
    }

    private var hasPorts: Bool {
        guard case .transport(let number) = kind else { return false }
        return [6, 17, 33, 132, 136].contains(number)
    }

    // MARK: - Building

    /// The frame, with so many zeros behind the headers.
    private func frame(filling count: Int) -> Packet {
        let zeros = [UInt8](repeating: 0, count: max(count, 0))
        if case .bytes(let bytes) = kind { return .raw(bytes) }
        let source = Packet.MAC((sourceMAC ?? MACAddress(value: 0x0200_0000_0001)).bytes)
        let destination = Packet.MAC((destinationMAC ?? MACAddress(value: 0x0200_0000_0002)).bytes)
        if case .frame(let type) = kind {
            // The type of what is behind the tags is written as content.
            var content: [UInt8] = []
            for (index, id) in vlans.enumerated() {
                content += big(id) + big(index + 1 < vlans.count ? 0x8100 : type)
            }
            let outer = vlans.isEmpty ? type : 0x8100
            return .ethernet(from: source, to: destination, type: outer).payload(content + zeros)
        }
        var link = Packet.ethernet(from: source, to: destination)
        for id in vlans { link = link.vlan(id) }
        if case .arp(let isReply) = kind {
            return link.arp(
                isReply ? .reply : .request, senderMAC: source, sender: address4(self.source, "192.0.2.1"),
                target: address4(self.destination, "192.0.2.2")
            ).payload(zeros)
        }
        return transport(over: network(over: link), zeros)
    }

    private var isIPv6: Bool {
        if kind == .icmp6 { return true }
        return source?.address?.isIPv6 ?? destination?.address?.isIPv6 ?? false
    }

    private func network(over link: Packet) -> Packet {
        let number = transportNumber
        let part: Packet.Fragment =
            switch fragment {
            case .first: .first
            case .later, .any: .last(at: 1480)
            case nil: .none
            }
        guard isIPv6 else {
            return link.ipv4(
                from: address4(source, "192.0.2.1"), to: address4(destination, "198.51.100.7"),
                ttl: ttl ?? 64,
                service: service ?? 0, fragment: part, protocol: number)
        }
        let header = link.ipv6(
            from: address6(source, "2001:db8::1"), to: address6(destination, "2001:db8::2"),
            hopLimit: ttl ?? 64,
            trafficClass: service ?? 0, next: fragment == nil ? number : 44)
        return fragment == nil ? header : header.fragment(part, next: number)
    }

    private var transportNumber: UInt8 {
        switch kind {
        case .transport(let number): number
        case .icmp: 1
        case .icmp6: 58
        // For experiments.
        default: 253
        }
    }

    private func transport(over network: Packet, _ zeros: [UInt8]) -> Packet {
        // What follows a first fragment has no header of its own.
        if fragment == .later { return network.payload([0] + zeros) }
        let ports = (from: source?.port ?? 40_000, to: destination?.port ?? (kind == .transport(6) ? 80 : 53))
        switch kind {
        case .transport(6):
            return network.tcp(
                from: ports.from, to: ports.to, flags: Packet.TCPFlags(rawValue: flags ?? 0x10),
                payload: zeros)
        case .transport(17):
            return network.udp(from: ports.from, to: ports.to, payload: zeros)
        case .transport where hasPorts:
            // Longer than the shortest header of all of them.
            return network.payload(big(ports.from) + big(ports.to) + [UInt8](repeating: 0, count: 12) + zeros)
        case .icmp, .icmp6:
            return network.icmp(type: type ?? (isIPv6 ? 128 : 8), code: code ?? 0, payload: zeros)
        default:
            return network.payload(zeros)
        }
    }

    private func address4(_ endpoint: Endpoint?, _ standard: Packet.IPv4) -> Packet.IPv4 {
        endpoint?.address.map { Packet.IPv4($0.bytes) } ?? standard
    }

    private func address6(_ endpoint: Endpoint?, _ standard: Packet.IPv6) -> Packet.IPv6 {
        endpoint?.address.map { Packet.IPv6($0.bytes) } ?? standard
    }

    private func big(_ number: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }
}
