// SPDX-License-Identifier: Apache-2.0
import Netlink
import Packets
import Testing
import XDP

@testable import Filter

@Suite("Packets in words")
struct PacketNotationTests {
    @Test("addresses, ports and flags")
    func tcp() throws {
        let packet = try WrittenPacket(parsing: "tcp from 1.2.3.4:5 to 5.6.7.8:22 syn")
        #expect(
            packet.bytes
                == Packet.ethernet().ipv4(from: "1.2.3.4", to: "5.6.7.8").tcp(from: 5, to: 22, flags: .syn)
                .bytes)
        #expect(packet.queue == 0 && packet.interface == nil && packet.length == nil)
        #expect(try fields("tcp syn ack").tcpFlags == 0x12)
        #expect(try fields("tcp flags syn,ece").tcpFlags == 0x42)
        #expect(try fields("tcp flags none").tcpFlags == 0)
        #expect(try fields("tcp").tcpFlags == 0x10)
    }

    @Test("IPv6 addresses with ports stand in brackets; a port alone behind a colon")
    func endpoints() throws {
        let six = try fields("udp from [2001:db8::1]:53 to 2001:db8::9")
        #expect(six.source == IPAddress(parsing: "2001:db8::1") && six.numbers[.sourcePort] == 53)
        #expect(six.destination == IPAddress(parsing: "2001:db8::9"))
        let ports = try fields("udp from :1234 to :dns")
        #expect(ports.numbers[.sourcePort] == 1234 && ports.numbers[.destinationPort] == 53)
        #expect(ports.source == IPAddress(192, 0, 2, 1))
        #expect(try fields("udp to [2001:db8::9]:1").numbers[.ipVersion] == 6)
        for name in ["sctp", "dccp", "udplite"] {
            #expect(try fields("\(name) to :80").numbers[.destinationPort] == 80)
        }
    }

    @Test("ICMP by name and number, ARP, other protocols and types")
    func kinds() throws {
        #expect(try fields("icmp echo-request").numbers[.icmpType] == 8)
        #expect(try fields("icmp type 3 code 4").numbers[.icmpCode] == 4)
        #expect(try fields("icmpv6 neighbour-solicitation from fe80::1").numbers[.icmp6Type] == 135)
        #expect(try fields("arp reply from 192.0.2.7").numbers[.etherType] == 0x0806)
        #expect(try WrittenPacket(parsing: "arp reply from 192.0.2.7").bytes[20..<22] == [0, 2])
        #expect(try fields("proto 47").numbers[.protocol] == 47)
        #expect(try fields("proto gre to 2001:db8::1").numbers[.protocol] == 47)
        #expect(try fields("ip ttl 3").numbers[.ttl] == 3)
        #expect(try fields("ethertype 0x88cc").numbers[.etherType] == 0x88cc)
        let tagged = try fields("vlan 5 vlan 6 ethertype 0x88cc")
        #expect(tagged.numbers[.vlan] == 5 && tagged.numbers[.innerVLAN] == 6)
        #expect(tagged.numbers[.etherType] == 0x88cc)
        #expect(try WrittenPacket(parsing: "hex 0001fF length 9000").bytes == [0, 1, 255])
        #expect(try fields("hex 0001ff length 9000").numbers[.length] == 9000)
    }

    @Test("everything else that rules ask of a packet")
    func words() throws {
        let fields = try fields(
            "udp vlan 100 vlan 42 mac src 02:00:00:00:00:0a mac dst ff:ff:ff:ff:ff:ff dscp 46 hoplimit 7 length 1000 queue 3"
        )
        #expect(fields.numbers[.vlan] == 100 && fields.numbers[.innerVLAN] == 42)
        #expect(fields.sourceMAC == MACAddress(value: 0x0200_0000_000a))
        #expect(fields.destinationMAC == MACAddress(value: .max))
        #expect(fields.numbers[.dscp] == 46 && fields.numbers[.ttl] == 7)
        #expect(fields.numbers[.length] == 1000 && fields.numbers[.queue] == 3)
        #expect(try WrittenPacket(parsing: "tcp iif eth0").interface == "eth0")
        #expect(try WrittenPacket(parsing: "tcp cut 33").bytes.count == 33)
    }

    @Test("fragments of both families", arguments: ["", " to 2001:db8::1"])
    func fragments(address: String) throws {
        let first = try fields("udp fragment first" + address)
        #expect(first.isFirstFragment && first.numbers[.destinationPort] == 53)
        let later = try fields("udp fragment later length 200" + address)
        #expect(later.isLaterFragment && later.numbers[.destinationPort] == nil)
        #expect(later.numbers[.protocol] == 17 && later.numbers[.length] == 200)
    }

    @Test(
        "what is wrong is said with its column",
        arguments: [
            ("", 1, "no words"), ("tcpp to 1.2.3.4", 1, "did you mean tcp?"), ("tcp udp", 5, "said before"),
            ("tcp from 1.2.3", 10, "no address"), ("tcp from 1.2.3.4:99999", 10, "65535"),
            ("tcp from", 9, "missing"), ("tcp  from  [::1", 12, "no address"), ("udp syn", 5, "of TCP"),
            ("icmp from 1.2.3.4:5", 11, "no ports"), ("icmp from ::1", 1, "icmpv6"),
            ("icmpv6 to 1.2.3.4", 1, "icmp"), ("tcp from 1.2.3.4 to ::1", 21, "one family"),
            ("arp from ::1", 10, "IPv4"), ("tcp length 20", 5, "cut 20"), ("tcp vlan 4096", 10, "4095"),
            ("tcp flags syn,sin", 11, "sin is no flag"), ("tcp type 3", 1, "ICMP"), ("hex 012", 5, "pairs"),
            ("tcp mac 02:00:00:00:00:01", 9, "src or dst"), ("tcp mac src 02:00", 13, "no Ethernet"),
            ("tcp fragment any", 14, "first or later"), ("proto blue", 7, "no protocol"),
            ("ethertype 0x800 to 1.2.3.4", 20, "no addresses"), ("tcp ttl 0x", 9, "up to 255"),
        ])
    func errors(text: String, column: Int, words: String) {
        #expect {
            try WrittenPacket(parsing: text)
        } throws: { error in
            guard let error = error as? XDPError, let finding = error.findings.first else { return false }
            return error.kind == .invalid && finding.column == column && finding.description.contains(words)
        }
    }

    private func fields(_ text: String) throws -> PacketFields {
        let packet = try WrittenPacket(parsing: text)
        return PacketFields(packet: packet.bytes, length: packet.length, queue: packet.queue)
    }
}
