// SPDX-License-Identifier: Apache-2.0
import Packets
import Testing

@testable import TestSupport

/// Packets as Linux 6.18 sent them on a TAP device, with checksums computed by the kernel.
@Suite("The packet builder makes what the kernel makes")
struct KnownPacketTests {
    @Test("UDP over IPv4")
    func udp() {
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")
            .ipv4(from: "192.0.2.1", to: "192.0.2.2", identification: 0xff6e, fragment: .forbidden)
            .udp(from: 1234, to: 53, payload: "hello".utf8)

        let known: [UInt8] = [
            0x02, 0x00, 0x00, 0x00, 0x00, 0x02,  // destination
            0x02, 0x00, 0x00, 0x00, 0x00, 0x01,  // source
            0x08, 0x00,  // IPv4
            0x45, 0x00, 0x00, 0x21,  // version and header length, service, length 33
            0xff, 0x6e, 0x40, 0x00,  // identification, don't fragment
            0x40, 0x11, 0xb7, 0x59,  // TTL 64, UDP, checksum
            192, 0, 2, 1, 192, 0, 2, 2,
            0x04, 0xd2, 0x00, 0x35,  // ports 1234 and 53
            0x00, 0x0d, 0x32, 0xf7,  // length 13, checksum
            0x68, 0x65, 0x6c, 0x6c, 0x6f,  // hello
        ]
        #expect(packet.bytes == known)
    }

    @Test("UDP over IPv6")
    func udpOverIPv6() {
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")
            .ipv6(from: "2001:db8::1", to: "2001:db8::2", flowLabel: 0x4b5f3)
            .udp(from: 1234, to: 53, payload: "hello".utf8)

        let known: [UInt8] = [
            0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,  // IPv6
            0x60, 0x04, 0xb5, 0xf3,  // version, traffic class, flow label
            0x00, 0x0d, 0x11, 0x40,  // payload 13, UDP, hop limit 64
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
            0x04, 0xd2, 0x00, 0x35,  // ports 1234 and 53
            0x00, 0x0d, 0x5b, 0x86,  // length 13, checksum
            0x68, 0x65, 0x6c, 0x6c, 0x6f,  // hello
        ]
        #expect(packet.bytes == known)
    }

    @Test("a TCP SYN with its options")
    func tcp() {
        let options: [UInt8] = [
            2, 4, 0x05, 0xb4,  // largest segment 1460
            4, 2,  // selective acknowledgement
            8, 10, 0x85, 0x27, 0xc0, 0x58, 0, 0, 0, 0,  // time stamps
            1, 3, 3, 10,  // padding, window scale 10
        ]
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")
            .ipv4(from: "192.0.2.1", to: "192.0.2.2", identification: 0x78b3, fragment: .forbidden)
            .tcp(
                from: 4321, to: 80, flags: .syn, sequence: 0x4ad4_e7a9, window: 64240, options: options)

        let known: [UInt8] = [
            0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00,
            0x45, 0x00, 0x00, 0x3c, 0x78, 0xb3, 0x40, 0x00, 0x40, 0x06, 0x3e, 0x05,
            192, 0, 2, 1, 192, 0, 2, 2,
            0x10, 0xe1, 0x00, 0x50,  // ports 4321 and 80
            0x4a, 0xd4, 0xe7, 0xa9,  // sequence
            0x00, 0x00, 0x00, 0x00,  // acknowledgement
            0xa0, 0x02, 0xfa, 0xf0,  // header of ten words, SYN, window
            0x3f, 0xd9, 0x00, 0x00,  // checksum, urgent pointer
        ]
        #expect(packet.bytes == known + options)
    }

    @Test("an ICMP echo request")
    func ping() {
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")
            .ipv4(from: "192.0.2.1", to: "192.0.2.2", identification: 0x5de4, fragment: .forbidden)
            .ping(identifier: 77, sequence: 5, payload: "pingping".utf8)

        let known: [UInt8] = [
            0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00,
            0x45, 0x00, 0x00, 0x24, 0x5d, 0xe4, 0x40, 0x00, 0x40, 0x01, 0x58, 0xf1,
            192, 0, 2, 1, 192, 0, 2, 2,
            0x08, 0x00, 0x3a, 0x0c,  // echo request, checksum
            0x00, 0x4d, 0x00, 0x05,  // identifier 77, sequence 5
            0x70, 0x69, 0x6e, 0x67, 0x70, 0x69, 0x6e, 0x67,  // pingping
        ]
        #expect(packet.bytes == known)
    }

    @Test("an ICMPv6 echo request")
    func pingOverIPv6() {
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")
            .ipv6(from: "2001:db8::1", to: "2001:db8::2", flowLabel: 0x3a214)
            .ping(identifier: 77, sequence: 5, payload: "pingping".utf8)

        let known: [UInt8] = [
            0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,
            0x60, 0x03, 0xa2, 0x14, 0x00, 0x10, 0x3a, 0x40,
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
            0x80, 0x00, 0x66, 0x4c,  // echo request, checksum over the addresses too
            0x00, 0x4d, 0x00, 0x05,  // identifier 77, sequence 5
            0x70, 0x69, 0x6e, 0x67, 0x70, 0x69, 0x6e, 0x67,  // pingping
        ]
        #expect(packet.bytes == known)
    }

    @Test("an ARP request")
    func arp() {
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: .broadcast)
            .arp(.request, senderMAC: "02:00:00:00:00:01", sender: "192.0.2.1", target: "192.0.2.3")

        let known: [UInt8] = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06,
            0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,  // Ethernet, IPv4, their sizes, request
            0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 192, 0, 2, 1,
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 3,
        ]
        #expect(packet.bytes == known)
    }

    @Test("a neighbour solicitation")
    func neighbourSolicitation() {
        let sender: Packet.MAC = "02:00:00:00:00:01"
        let target: Packet.IPv6 = "2001:db8::3"
        let packet = Packet.ethernet(from: sender, to: "33:33:ff:00:00:03")
            .ipv6(from: "2001:db8::1", to: "ff02::1:ff00:3", hopLimit: 255)
            .icmp(type: 135, payload: target.bytes + [1, 1] + sender.bytes)

        let known: [UInt8] = [
            0x33, 0x33, 0xff, 0x00, 0x00, 0x03, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,
            0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
            0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 3,
            0x87, 0x00, 0x1c, 0x25, 0x00, 0x00, 0x00, 0x00,  // solicitation, checksum
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3,
            0x01, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,  // source link-layer address
        ]
        #expect(packet.bytes == known)
    }

    @Test("the header of a last fragment")
    func fragment() {
        let packet = Packet.ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")
            .ipv4(
                from: "192.0.2.1", to: "192.0.2.2", identification: 0x003f, fragment: .last(at: 1480),
                protocol: 17
            )
            .payload(length: 576)

        let known: [UInt8] = [
            0x45, 0x00, 0x02, 0x54, 0x00, 0x3f, 0x00, 0xb9,  // length 596, offset 185 * 8
            0x40, 0x11, 0xf3, 0x9d,  // UDP, checksum
            192, 0, 2, 1, 192, 0, 2, 2,
        ]
        #expect(packet.bytes[14..<34] == known[...])
    }

    @Test("the checksum of RFC 1071's example")
    func checksum() {
        #expect(internetChecksum(of: [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]) == ~0xddf2)
        #expect(internetChecksum(of: [0x01]) == ~0x0100)
        #expect(internetChecksum(of: []) == 0xffff)
    }
}

@Suite("The packet builder stacks headers")
struct PacketLayerTests {
    @Test(
        "each header names the next",
        arguments: [
            (Packet.ethernet().vlan(42).ipv4(), 12, [0x81, 0x00, 0x00, 0x2a, 0x08, 0x00, 0x45]),
            (
                Packet.ethernet().vlan(1, protocol: 0x88a8).vlan(2).ipv6(), 12,
                [0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x86, 0xdd]
            ),
            (
                Packet.ethernet().vlan(1, priority: 7).arp(.reply, sender: "192.0.2.1", target: "192.0.2.2"),
                14, [0xe0, 1, 8, 6]
            ),
            (Packet.ethernet().ipv4().ipv4().udp(), 23, [4]),
            (Packet.ethernet().ipv4().ipv6().udp(), 23, [41]),
            (Packet.ethernet().ipv4().gre().ipv4(), 34, [0, 0, 0x08, 0x00, 0x45]),
            (Packet.ethernet().ipv4().gre(key: 7).ethernet(), 34, [0x20, 0, 0x65, 0x58, 0, 0, 0, 7]),
            (
                Packet.ethernet().ipv4().udp(to: 4789).vxlan(0x123456).ethernet(), 42,
                [8, 0, 0, 0, 0x12, 0x34, 0x56, 0]
            ),
            (
                Packet.ethernet().ipv4().udp(to: 6081).geneve(5).ethernet(), 42,
                [0, 0, 0x65, 0x58, 0, 0, 5, 0]
            ),
            (Packet.ethernet().ipv4().udp(to: 6080).gue().ipv6(), 42, [0, 41, 0, 0, 0x60]),
            (Packet.ethernet().ipv6().hopByHop().udp(), 20, [0]),
            (Packet.ethernet().ipv6().hopByHop().udp(), 54, [17, 0, 1, 4, 0, 0, 0, 0]),
            (
                Packet.ethernet().ipv6().routing().destinationOptions().tcp(), 54,
                [60, 0, 253, 0, 0, 0, 0, 0, 6, 0]
            ),
            (Packet.ethernet().ipv6().fragment(.middle(at: 1480)).payload([1]), 54, [253, 0, 0x05, 0xc9]),
            (Packet.ethernet().ipv6(), 20, [59, 64]),
        ] as [(Packet, Int, [UInt8])])
    func names(packet: Packet, offset: Int, expected: [UInt8]) {
        #expect(Array(packet.bytes.dropFirst(offset).prefix(expected.count)) == expected)
    }

    @Test("lengths count all that is inside")
    func lengths() {
        let bytes = Packet.ethernet().ipv4(options: [1, 1, 1]).udp(payload: [1, 2, 3]).bytes

        #expect(bytes[14] == 0x46)
        #expect(bytes[16...17] == [0, 24 + 8 + 3])
        #expect(bytes[42...43] == [0, 11])
    }

    @Test("a checksum is absent or wrong when a test wants it so")
    func wrongChecksums() {
        let correct = Packet.ethernet().ipv4().udp(payload: [7]).bytes
        let absent = Packet.ethernet().ipv4().udp(payload: [7], checksum: .absent).bytes
        let wrong = Packet.ethernet().ipv4().udp(payload: [7], checksum: .wrong).bytes

        #expect(absent[40...41] == [0, 0])
        #expect(wrong[40] == correct[40])
        #expect(wrong[41] == correct[41] ^ 1)
    }

    @Test("a UDP checksum that comes out as zero is sent as ones")
    func zeroChecksum() {
        // The payload is what the checksum is without it: the sum of all becomes zero.
        let packet = Packet.ethernet().ipv4().udp(payload: [0, 0])
        let checksum = Array(packet.bytes[40...41])

        #expect(Packet.ethernet().ipv4().udp(payload: checksum).bytes[40...41] == [0xff, 0xff])
    }

    @Test("a packet can be cut, filled up and changed")
    func mutilation() {
        let packet = Packet.ethernet().ipv4().udp(payload: [1, 2, 3])

        #expect(packet.truncated(to: 20).bytes == Array(packet.bytes.prefix(20)))
        #expect(packet.padded().bytes == packet.bytes + [UInt8](repeating: 0, count: 60 - 45))
        #expect(packet.replacing(byteAt: 5, with: 9).bytes[5] == 9)
    }

    @Test("addresses are read as people write them")
    func addresses() {
        #expect(Packet.MAC(parsing: "2:0:0:0:0:ff")?.description == "02:00:00:00:00:ff")
        #expect(Packet.MAC(parsing: "02:00:00:00:00") == nil)
        #expect(Packet.MAC(parsing: "02:00:00:00:00:100") == nil)
        #expect(Packet.IPv4(parsing: "192.0.2.256") == nil)
        #expect(Packet.IPv6(parsing: "2001:0db8::0001")?.description == "2001:db8::1")
    }
}

@Suite("The packet generator")
struct PacketGeneratorTests {
    @Test("gives the same packets for the same seed, and others for another")
    func seed() {
        let first = PacketGenerator(seed: 7).prefix(200).map(\.bytes)

        #expect(PacketGenerator(seed: 7).prefix(200).map(\.bytes) == first)
        #expect(PacketGenerator(seed: 8).prefix(200).map(\.bytes) != first)
    }

    @Test("makes no packet that a test run would refuse", arguments: PacketKind.allCases)
    func size(kind: PacketKind) {
        var generator = PacketGenerator(seed: 1)

        for _ in 0..<100 {
            let packet = generator.packet(kind)
            #expect(14...1514 ~= packet.bytes.count, "\(packet)")
        }
    }

    @Test("repeats hardly any packet")
    func variety() {
        let packets = Set(PacketGenerator(seed: 3).prefix(2000).map(\.bytes))

        #expect(packets.count > 1900)
    }

    @Test(
        "makes IPv4 headers whose checksum is right",
        arguments: [PacketKind.udp, .tcp, .ping, .options, .ipip])
    func checksums(kind: PacketKind) {
        var generator = PacketGenerator(seed: 5)

        for _ in 0..<100 {
            let bytes = generator.packet(kind).bytes
            guard bytes[12...13] == [0x08, 0x00] else { continue }
            let length = Int(bytes[14] & 0xf) * 4
            #expect(internetChecksum(of: Array(bytes[14..<14 + length])) == 0)
        }
    }
}
