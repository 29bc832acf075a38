// SPDX-License-Identifier: Apache-2.0
import Netlink
import Packets
import TestSupport
import Testing

@testable import Filter

@Suite("Fields of packets")
struct PacketFieldsTests {
    // MARK: - Frame

    @Test("an Ethernet header has both addresses and the type")
    func ethernet() {
        let fields = read(.ethernet(from: "02:00:00:00:00:0a", to: "ff:ff:ff:ff:ff:ff", type: 0x88b5))
        #expect(fields.sourceMAC == MACAddress(value: 0x0200_0000_000a))
        #expect(fields.destinationMAC == MACAddress(value: 0xffff_ffff_ffff))
        #expect(fields.numbers == [.etherType: 0x88b5, .length: 14, .queue: 0])
        #expect(fields.networkOffset == nil && fields.transportOffset == nil)
    }

    @Test("a frame shorter than its header has nothing but length, queue and interface", arguments: 0..<14)
    func shortFrame(length: Int) {
        let bytes = Packet.ethernet().ipv4().tcp().truncated(to: length).bytes
        let fields = PacketFields(packet: bytes, queue: 3, interface: 9)
        #expect(fields.numbers == [.length: UInt32(length), .queue: 3])
        #expect(fields.interface == 9)
        #expect(fields.sourceMAC == nil && fields.destinationMAC == nil)
    }

    @Test("two VLAN tags of either type are stepped over, a third is the frame's type")
    func vlans() {
        let link = Packet.ethernet()
        let one = read(link.vlan(42, priority: 7).ipv4().udp(to: 53))
        #expect(one.numbers[.vlan] == 42 && one.numbers[.innerVLAN] == nil)
        #expect(one.numbers[.etherType] == 0x0800 && one.numbers[.destinationPort] == 53)
        let two = read(link.vlan(100, protocol: 0x88a8).vlan(0).ipv6().udp(to: 53))
        #expect(two.numbers[.vlan] == 100 && two.numbers[.innerVLAN] == 0)
        #expect(two.numbers[.etherType] == 0x86dd && two.networkOffset == 22)
        #expect(two.numbers[.destinationPort] == 53)
        let three = read(link.vlan(1).vlan(2).vlan(3).ipv4().udp())
        #expect(three.numbers[.vlan] == 1 && three.numbers[.innerVLAN] == 2)
        #expect(three.numbers[.etherType] == 0x8100 && three.numbers[.ipVersion] == nil)
    }

    @Test("a VLAN tag cut short is the frame's type", arguments: 14..<18)
    func shortTag(length: Int) {
        let fields = read(.ethernet().vlan(42).ipv4().udp().truncated(to: length))
        #expect(fields.numbers[.etherType] == 0x8100 && fields.numbers[.vlan] == nil)
    }

    @Test("the length counts padding and further buffers; it and the queue end at 65535")
    func lengthAndQueue() {
        #expect(read(Packet.ethernet().ipv4().udp().padded(to: 60)).numbers[.length] == 60)
        let bytes = Packet.ethernet().ipv4().udp().bytes
        #expect(PacketFields(packet: bytes, length: 9000).numbers[.length] == 9000)
        #expect(PacketFields(packet: bytes, length: 70_000).numbers[.length] == 65_535)
        #expect(PacketFields(packet: bytes, queue: 70_000).numbers[.queue] == 65_535)
    }

    // MARK: - Network

    @Test("IPv4 has its addresses, protocol, service and time to live")
    func ipv4() {
        let fields = read(
            .ethernet().ipv4(from: "192.0.2.9", to: "10.0.0.1", ttl: 3, service: 0xb9, protocol: 47))
        #expect(fields.source == IPAddress(192, 0, 2, 9) && fields.destination == IPAddress(10, 0, 0, 1))
        #expect(fields.numbers[.ipVersion] == 4 && fields.numbers[.protocol] == 47)
        #expect(fields.numbers[.trafficClass] == 0xb9 && fields.numbers[.dscp] == 46)
        #expect(fields.numbers[.ttl] == 3)
        #expect(fields.networkOffset == 14 && fields.transportOffset == 34)
    }

    @Test("IPv6 has its addresses, protocol, class and hop limit")
    func ipv6() {
        let fields = read(
            .ethernet().ipv6(
                from: "2001:db8::9", to: "fe80::1", hopLimit: 3, trafficClass: 0xb9, flowLabel: 0xfffff,
                next: 47))
        #expect(fields.source == IPAddress(parsing: "2001:db8::9"))
        #expect(fields.destination == IPAddress(parsing: "fe80::1"))
        #expect(fields.numbers[.ipVersion] == 6 && fields.numbers[.protocol] == 47)
        #expect(fields.numbers[.trafficClass] == 0xb9 && fields.numbers[.dscp] == 46)
        #expect(fields.numbers[.ttl] == 3)
        #expect(fields.networkOffset == 14 && fields.transportOffset == 54)
    }

    @Test("IPv4's options are stepped over")
    func options() {
        let fields = read(.ethernet().ipv4(options: [UInt8](repeating: 1, count: 40)).tcp(to: 22))
        #expect(fields.transportOffset == 74 && fields.numbers[.destinationPort] == 22)
    }

    @Test(
        "an invalid IP header has the frame's fields alone",
        arguments: [
            Packet.ethernet().ipv4().udp().replacing(byteAt: 14, with: 0x55),
            Packet.ethernet().ipv4().udp().replacing(byteAt: 14, with: 0x44),
            Packet.ethernet().ipv4().udp().replacing(byteAt: 14, with: 0x4f),
            Packet.ethernet().ipv4(totalLength: 19).udp(),
            Packet.ethernet().ipv4(options: [1, 1, 1, 1], totalLength: 23).udp(),
            Packet.ethernet().ipv4().udp().truncated(to: 33),
            Packet.ethernet().ipv6().udp().replacing(byteAt: 14, with: 0x40),
            Packet.ethernet().ipv6().udp().truncated(to: 53),
            Packet.ethernet(type: 0x86dd).ipv4().udp(),
            Packet.ethernet(type: 0x0800).ipv6().udp(),
        ])
    func invalidHeader(packet: Packet) {
        let fields = read(packet)
        #expect(Set(fields.numbers.keys) == [.etherType, .length, .queue])
        #expect(fields.source == nil && fields.destination == nil)
        #expect(fields.networkOffset == nil && fields.transportOffset == nil)
        #expect(fields.sourceMAC != nil)
    }

    @Test("a packet ends where its IP header says, or where the frame ends, if that is earlier")
    func end() {
        let link = Packet.ethernet()
        // The ports are behind the packet's end, in the padding.
        #expect(read(link.ipv4(protocol: 17, totalLength: 20).udp(to: 53)).numbers[.destinationPort] == nil)
        #expect(read(link.ipv4(totalLength: 23).udp(to: 53)).numbers[.destinationPort] == nil)
        #expect(read(link.ipv4(totalLength: 24).udp(to: 53)).numbers[.destinationPort] == 53)
        #expect(read(link.ipv4(totalLength: 0).udp(to: 53)).numbers[.destinationPort] == 53)
        #expect(read(link.ipv4(totalLength: 65_535).udp(to: 53)).numbers[.destinationPort] == 53)
        #expect(read(link.ipv6(payloadLength: 3).udp(to: 53)).numbers[.destinationPort] == nil)
        #expect(read(link.ipv6(payloadLength: 4).udp(to: 53)).numbers[.destinationPort] == 53)
        #expect(read(link.ipv6(payloadLength: 0).udp(to: 53)).numbers[.destinationPort] == 53)
        #expect(read(link.ipv6(payloadLength: 65_535).udp(to: 53)).numbers[.destinationPort] == 53)
        #expect(read(link.ipv4(totalLength: 20).udp()).transportOffset == 34)
    }

    // MARK: - Extension headers

    @Test("every extension header is stepped over", arguments: [0, 43, 60, 135, 139, 140] as [UInt8])
    func extensionHeader(number: UInt8) {
        for length in [0, 6, 7, 100] {
            let content = [UInt8](repeating: 0, count: length)
            let fields = read(.ethernet().ipv6().extensionHeader(number, content).udp(to: 53))
            #expect(fields.numbers[.protocol] == 17 && fields.numbers[.destinationPort] == 53)
        }
    }

    @Test("an authentication header is counted in words")
    func authentication() {
        for count in [0, 4, 12, 32] {
            let fields = read(
                .ethernet().ipv6().authentication([UInt8](repeating: 9, count: count)).tcp(to: 22))
            #expect(fields.numbers[.protocol] == 6 && fields.numbers[.destinationPort] == 22)
        }
    }

    @Test("eight extension headers are stepped over; with a ninth the protocol is unknown")
    func manyHeaders() {
        var packet = Packet.ethernet().ipv6()
        for _ in 0..<8 { packet = packet.destinationOptions() }
        #expect(read(packet.udp(to: 53)).numbers[.destinationPort] == 53)
        let fields = read(packet.destinationOptions().udp(to: 53))
        #expect(fields.numbers[.protocol] == nil && fields.transportOffset == nil)
        #expect(fields.numbers[.destinationPort] == nil)
        #expect(fields.numbers[.ttl] == 64 && fields.source != nil && fields.networkOffset == 14)
    }

    @Test("an extension header that ends behind the packet leaves the protocol unknown")
    func shortHeader() {
        let packet = Packet.ethernet().ipv6().destinationOptions().udp(to: 53)
        for length in 54..<62 {
            let fields = read(packet.truncated(to: length))
            #expect(fields.numbers[.protocol] == nil && fields.transportOffset == nil)
            #expect(fields.numbers[.ipVersion] == 6)
        }
        let whole = read(packet.truncated(to: 62))
        #expect(whole.numbers[.protocol] == 17 && whole.transportOffset == 62)
        let ended = read(.ethernet().ipv6(payloadLength: 7).destinationOptions().udp(to: 53))
        #expect(ended.numbers[.protocol] == nil)
    }

    @Test("in IPv4 no extension header is stepped over")
    func extensionInIPv4() {
        let fields = read(.ethernet().ipv4().authentication().tcp(to: 22))
        #expect(fields.numbers[.protocol] == 51 && fields.transportOffset == 34)
        #expect(fields.numbers[.destinationPort] == nil && fields.tcpFlags == nil)
    }

    // MARK: - Fragments

    @Test("a first fragment has its ports, a later one has none; both know the protocol")
    func fragments() {
        for link in [Packet.ethernet(), Packet.ethernet().vlan(1)] {
            for isFirst in [true, false] {
                let part: Packet.Fragment = isFirst ? .first : .middle(at: 8)
                for packet in [
                    link.ipv4(fragment: part, protocol: 17).udp(to: 53),
                    link.ipv6().fragment(part).udp(to: 53),
                    link.ipv6().hopByHop().fragment(part).udp(to: 53),
                ] {
                    let fields = read(packet)
                    #expect(fields.isFirstFragment == isFirst && fields.isLaterFragment != isFirst)
                    #expect(fields.numbers[.protocol] == 17)
                    #expect(fields.numbers[.destinationPort] == (isFirst ? 53 : nil))
                    #expect((fields.transportOffset != nil) == isFirst)
                }
            }
        }
        let last = read(.ethernet().ipv4(fragment: .last(at: 8), protocol: 6).tcp())
        #expect(last.isLaterFragment && last.tcpFlags == nil && last.transportOffset == nil)
    }

    @Test("a later fragment's protocol is what the fragment header names, even another extension header")
    func laterFragmentNames() {
        let fields = read(.ethernet().ipv6().fragment(.last(at: 64), next: 60).udp())
        #expect(fields.numbers[.protocol] == 60 && fields.transportOffset == nil)
    }

    @Test("whole packets are no fragments: don't fragment, and IPv6's atomic ones")
    func whole() {
        for packet in [
            Packet.ethernet().ipv4(fragment: .forbidden).udp(to: 53),
            .ethernet().ipv6().fragment(.none).udp(to: 53),
            // The first fragment header counts.
            .ethernet().ipv6().fragment(.none).fragment(.middle(at: 8)).udp(to: 53),
        ] {
            let fields = read(packet)
            #expect(!fields.isFirstFragment && !fields.isLaterFragment)
            #expect(fields.numbers[.destinationPort] == 53)
        }
    }

    // MARK: - Transport

    @Test("five protocols have ports, others none", arguments: [6, 17, 33, 132, 136, 47, 50, 4] as [UInt8])
    func ports(number: UInt8) {
        let ports: [UInt8] = [0x12, 0x34, 0, 53]
        let hasPorts = [6, 17, 33, 132, 136].contains(number)
        for network in [Packet.ethernet().ipv4(protocol: number), .ethernet().ipv6(next: number)] {
            let whole = read(network.payload(ports))
            #expect(whole.numbers[.sourcePort] == (hasPorts ? 0x1234 : nil))
            #expect(whole.numbers[.destinationPort] == (hasPorts ? 53 : nil))
            let short = read(network.payload(ports.prefix(3)))
            #expect(short.numbers[.sourcePort] == nil && short.numbers[.destinationPort] == nil)
            #expect(short.transportOffset != nil && short.numbers[.protocol] == UInt32(number))
        }
    }

    @Test("TCP's flags are there with fourteen bytes")
    func flags() {
        for network in [Packet.ethernet().ipv4(), .ethernet().ipv6().routing()] {
            let packet = network.tcp(flags: [.syn, .ack, .cwr])
            #expect(read(packet).tcpFlags == 0x92)
            let header = packet.bytes.count - 20
            #expect(read(packet.truncated(to: header + 14)).tcpFlags == 0x92)
            let short = read(packet.truncated(to: header + 13))
            #expect(short.tcpFlags == nil && short.numbers[.destinationPort] == 80)
        }
        #expect(read(.ethernet().ipv4().udp(payload: [1, 2, 3, 4, 5, 6, 7, 8])).tcpFlags == nil)
    }

    @Test("ICMP has type and code in IPv4, ICMPv6 in IPv6, and neither in the other")
    func messages() {
        let message: [UInt8] = [3, 4, 0, 0]
        let icmp = read(.ethernet().ipv4(protocol: 1).payload(message))
        #expect(icmp.numbers[.icmpType] == 3 && icmp.numbers[.icmpCode] == 4)
        #expect(icmp.numbers[.icmp6Type] == nil && icmp.numbers[.sourcePort] == nil)
        let icmp6 = read(.ethernet().ipv6(next: 58).payload(message))
        #expect(icmp6.numbers[.icmp6Type] == 3 && icmp6.numbers[.icmp6Code] == 4)
        #expect(icmp6.numbers[.icmpType] == nil)
        for packet in [Packet.ethernet().ipv4(protocol: 58), .ethernet().ipv6(next: 1)] {
            let fields = read(packet.payload(message))
            #expect(fields.numbers[.icmpType] == nil && fields.numbers[.icmp6Type] == nil)
            #expect(fields.transportOffset != nil)
        }
        let short = read(.ethernet().ipv4(protocol: 1).payload([3]))
        #expect(short.numbers[.icmpType] == nil && short.numbers[.icmpCode] == nil)
    }

    @Test("ARP has nothing of IP")
    func arp() {
        let fields = read(.ethernet().arp(.request, sender: "192.0.2.1", target: "192.0.2.2"))
        #expect(fields.numbers[.etherType] == 0x0806 && fields.source == nil)
        #expect(fields.numbers[.ipVersion] == nil)
    }

    @Test("no packet, however it is cut or changed, is read behind its end")
    func anyBytes() {
        for seed in 0..<30 as Range<UInt64> {
            let rules = RandomRuleSet.make(seed: seed)
            for packet in RandomPackets(for: rules, seed: seed).prefix(20) {
                for length in 0...min(packet.bytes.count, 120) {
                    let fields = PacketFields(packet: Array(packet.bytes.prefix(length)))
                    #expect(fields.numbers[.length] == UInt32(length))
                    #expect(fields.transportOffset ?? 0 <= length)
                }
            }
        }
    }

    private func read(_ packet: Packet) -> PacketFields { PacketFields(packet: packet.bytes) }
}
