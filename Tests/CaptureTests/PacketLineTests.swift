// SPDX-License-Identifier: Apache-2.0
import Capture
import Packets
import Testing

@Suite("Packets decoded in one line")
struct PacketLineTests {
    private static let ipv4 = Packet.ethernet().ipv4(from: "192.0.2.1", to: "198.51.100.7", identification: 7)
    private static let ipv6 = Packet.ethernet().ipv6(from: "2001:db8::1", to: "2001:db8::2")

    private static func line(_ packet: Packet, _ style: PacketLine.Style = .init()) -> String {
        let bytes = packet.bytes
        return PacketLine(bytes, length: bytes.count, style: style).text
    }

    @Test(
        "what everybody sees every day",
        arguments: [
            (
                ipv4.tcp(from: 40_000, to: 22, flags: .syn, sequence: 5),
                "tcp 192.0.2.1:40000 > 198.51.100.7:22 [S] seq 5 win 65535 len 54"
            ),
            (
                ipv4.tcp(from: 1, to: 2, flags: [.psh, .ack], acknowledgement: 9, payload: [1, 2, 3]).padded(
                    to: 60),
                "tcp 192.0.2.1:1 > 198.51.100.7:2 [P.] seq 1 ack 9 win 65535 data 3 len 60"
            ),
            (
                ipv4.udp(from: 53, to: 1024, payload: [1]),
                "udp 192.0.2.1:53 > 198.51.100.7:1024 data 1 len 43"
            ),
            (ipv6.udp(from: 53, to: 1024), "udp [2001:db8::1]:53 > [2001:db8::2]:1024 data 0 len 62"),
            (
                ipv4.ping(identifier: 3, sequence: 4),
                "icmp 192.0.2.1 > 198.51.100.7 echo-request id 3 seq 4 len 42"
            ),
            (
                ipv6.ping(identifier: 3, sequence: 4),
                "icmpv6 2001:db8::1 > 2001:db8::2 echo-request id 3 seq 4 len 62"
            ),
            (
                .ethernet().arp(.request, sender: "192.0.2.1", target: "192.0.2.2"),
                "arp who-has 192.0.2.2 tell 192.0.2.1 len 42"
            ),
            (
                .ethernet().arp(.reply, sender: "192.0.2.1", target: "192.0.2.2"),
                "arp 192.0.2.1 is-at 02:00:00:00:00:01 len 42"
            ),
            (
                .ethernet().arp(.request, sender: "192.0.2.1", target: "192.0.2.1"),
                "arp announce 192.0.2.1 02:00:00:00:00:01 len 42"
            ),
        ])
    func ordinary(packet: Packet, expected: String) {
        #expect(Self.line(packet) == expected)
    }

    @Test(
        "frames of other kinds",
        arguments: [
            (
                .ethernet().vlan(42, protocol: 0x88a8).vlan(7).ipv4().udp(from: 1, to: 2),
                "vlan 42.7 udp 192.0.2.1:1 > 198.51.100.7:2 data 0 len 50"
            ),
            (
                .ethernet(type: 0x9999).payload(length: 10),
                "ethertype 0x9999 02:00:00:00:00:01 > 02:00:00:00:00:02 len 24"
            ),
            (
                .ethernet(to: "01:80:c2:00:00:0e", type: 0x88cc).payload(length: 10),
                "lldp 02:00:00:00:00:01 > 01:80:c2:00:00:0e len 24"
            ),
            (
                .ethernet(to: "01:80:c2:00:00:00", type: 38).payload([0x42, 0x42, 3]).padded(),
                "stp 02:00:00:00:00:01 > 01:80:c2:00:00:00 len 60"
            ),
            (
                .ethernet(type: 38).payload([0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0]).padded(),
                "cdp 02:00:00:00:00:01 > 02:00:00:00:00:02 len 60"
            ),
            (.ethernet(type: 0x8863).payload([0x11, 9, 0, 0, 0, 0]), "pppoe PADI len 20"),
            (
                .ethernet(type: 0x8864).payload([0x11, 0, 0, 5, 0, 30, 0, 0x21]).payload(
                    Packet.ethernet().ipv4().udp(from: 1, to: 2).bytes.dropFirst(14)),
                "pppoe session 5 | udp 192.0.2.1:1 > 198.51.100.7:2 data 0 len 50"
            ),
            (
                .ethernet(type: 0x8864).payload([0x11, 0, 0, 5, 0, 30, 0xc0, 0x21]),
                "pppoe session 5 lcp len 22"
            ),
            (
                .ethernet(type: 0x8847).payload([0, 0, 0x60, 64, 0, 0, 0x71, 64]).payload(
                    Packet.ethernet().ipv6().udp(from: 1, to: 2).bytes.dropFirst(14)),
                "mpls 6.7 | udp [2001:db8::1]:1 > [2001:db8::2]:2 data 0 len 70"
            ),
        ] as [(Packet, String)])
    func frames(packet: Packet, expected: String) {
        #expect(Self.line(packet) == expected)
    }

    @Test(
        "what IP does to packets",
        arguments: [
            (
                Packet.ethernet().ipv4(identification: 7, fragment: .middle(at: 80)).udp(from: 1, to: 2),
                "udp 192.0.2.1 > 198.51.100.7 frag 7 offset 80+ len 42"
            ),
            (
                Packet.ethernet().ipv6().fragment(.last(at: 80), identification: 7).udp(from: 1, to: 2),
                "udp 2001:db8::1 > 2001:db8::2 frag 7 offset 80 len 70"
            ),
            (
                Packet.ethernet().ipv6().hopByHop().destinationOptions().udp(from: 1, to: 2),
                "udp [2001:db8::1]:1 > [2001:db8::2]:2 data 0 hop-by-hop options len 78"
            ),
            (
                ipv4.authentication().udp(from: 1, to: 2),
                "ah 192.0.2.1 > 198.51.100.7 | udp 192.0.2.1:1 > 198.51.100.7:2 data 0 len 66"
            ),
            (.ethernet(type: 0x0800).payload(length: 10), "bad ip len 24"),
            (.ethernet(type: 0x86dd).payload(length: 10), "bad ip6 len 24"),
            (
                .ethernet().ipv4(totalLength: 5).udp(from: 1, to: 2),
                "udp 192.0.2.1 > 198.51.100.7 [short udp] bad length 5 len 42"
            ),
            (.ethernet().ipv4(protocol: 89), "ospf 192.0.2.1 > 198.51.100.7 len 34"),
            (.ethernet().ipv4(protocol: 200), "protocol 200 192.0.2.1 > 198.51.100.7 len 34"),
            (
                .ethernet().ipv4(protocol: 50).payload([0, 0, 1, 2]),
                "esp 192.0.2.1 > 198.51.100.7 spi 0x00000102 len 38"
            ),
            (
                .ethernet().ipv4(to: "224.0.0.1", protocol: 2).payload([0x16, 0, 0, 0, 224, 0, 0, 251]),
                "igmp 192.0.2.1 > 224.0.0.1 report-v2 224.0.0.251 len 42"
            ),
        ] as [(Packet, String)])
    func network(packet: Packet, expected: String) {
        #expect(Self.line(packet) == expected)
    }

    @Test(
        "tunnels, and what is in them",
        arguments: [
            (
                ipv4.ipv4(from: "10.0.0.1", to: "10.0.0.2").udp(from: 1, to: 2),
                "ipip 192.0.2.1 > 198.51.100.7 | udp 10.0.0.1:1 > 10.0.0.2:2 data 0 len 62"
            ),
            (
                ipv4.gre(key: 5).ethernet().vlan(3).ipv4(from: "10.0.0.1", to: "10.0.0.2").udp(
                    from: 1, to: 2),
                "gre 192.0.2.1 > 198.51.100.7 key 5 | vlan 3 udp 10.0.0.1:1 > 10.0.0.2:2 data 0 len 88"
            ),
            (
                ipv4.udp(to: 4789).vxlan(42).ethernet().ipv4(from: "10.0.0.1", to: "10.0.0.2").udp(
                    from: 1, to: 2),
                "udp 192.0.2.1:40000 > 198.51.100.7:4789 vxlan 42 | udp 10.0.0.1:1 > 10.0.0.2:2 data 0 len 92"
            ),
            (
                ipv4.udp(to: 6081).geneve(42).ethernet().ipv4(from: "10.0.0.1", to: "10.0.0.2").udp(
                    from: 1, to: 2),
                "udp 192.0.2.1:40000 > 198.51.100.7:6081 geneve 42 | udp 10.0.0.1:1 > 10.0.0.2:2 data 0 len 92"
            ),
            (
                ipv4.icmp(
                    type: 3, code: 3,
                    payload: Packet.ethernet().ipv4(from: "10.0.0.1", to: "10.0.0.2").udp(from: 1, to: 2)
                        .bytes.dropFirst(14)),
                "icmp 192.0.2.1 > 198.51.100.7 destination-unreachable port-unreachable | udp 10.0.0.1:1 > 10.0.0.2:2 data 0 len 70"
            ),
            (
                ipv6.icmp(
                    type: 2, rest: 1280,
                    payload: Packet.ethernet().ipv6().udp(from: 1, to: 2).bytes.dropFirst(14)),
                "icmpv6 2001:db8::1 > 2001:db8::2 packet-too-big mtu 1280 | udp [2001:db8::1]:1 > [2001:db8::2]:2 data 0 len 110"
            ),
            (
                ipv6.icmp(type: 135, payload: [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [5]),
                "icmpv6 2001:db8::1 > 2001:db8::2 neighbour-solicitation 2001:db8::5 len 78"
            ),
        ] as [(Packet, String)])
    func tunnels(packet: Packet, expected: String) {
        #expect(Self.line(packet) == expected)
    }

    @Test("tunnels in tunnels are followed, but not for ever")
    func deep() {
        let packet = (0..<20).reduce(Packet.ethernet()) { packet, _ in packet.ipv4() }.udp()
        let line = Self.line(packet)
        #expect(line.components("|") == 10 && line.contains("| …"))
    }

    @Test("what was not captured is told from what was never there")
    func cut() {
        let tcp = Self.ipv4.tcp(from: 1, to: 2).bytes
        func cut(_ count: Int) -> String { PacketLine(Array(tcp.prefix(count)), length: 1000).text }
        #expect(cut(10) == "[|ether] len 1000" && cut(20) == "ip [|ip] len 1000")
        #expect(cut(36) == "tcp 192.0.2.1 > 198.51.100.7 [|tcp] len 1000")
        #expect(cut(40) == "tcp 192.0.2.1:1 > 198.51.100.7:2 [|tcp] len 1000")
        #expect(Self.line(.raw([1, 2, 3])) == "[short ether] len 3")
    }

    @Test("a short line has who and how much, a long one all; the frame's addresses come if asked for")
    func styles() {
        let packet = Self.ipv4.tcp(from: 1, to: 2, flags: .syn, options: [2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2])
        #expect(Self.line(packet, .init(isShort: true)) == "tcp 192.0.2.1:1 > 198.51.100.7:2 [S] len 66")
        #expect(
            Self.line(packet, .init(isVerbose: true))
                == "tcp 192.0.2.1:1 > 198.51.100.7:2 [S] seq 1 win 65535 options <mss 1460,wscale 7,sackOK> ttl 64 id 7 len 66"
        )
        #expect(
            Self.line(packet, .init(showsLink: true, isShort: true))
                == "02:00:00:00:00:01 > 02:00:00:00:00:02 tcp 192.0.2.1:1 > 198.51.100.7:2 [S] len 66")
    }

    @Test("any part of any packet is decoded without a trap")
    func everyPrefix() {
        let packets: [Packet] = [
            Self.ipv4.tcp(options: [8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 5, 10]), Self.ipv6.hopByHop().ping(),
            Self.ipv4.udp(to: 4789).vxlan(1).ethernet().ipv6().tcp(), Self.ipv4.gre(key: 1).ipv6().udp(),
        ]
        for bytes in packets.map(\.bytes) {
            for count in 0...bytes.count {
                let line = PacketLine(
                    Array(bytes.prefix(count)), length: bytes.count,
                    style: .init(showsLink: true, isVerbose: true))
                #expect(line.text.hasSuffix("len \(bytes.count)"))
            }
        }
    }

    @Test("hexadecimal digits stand as tcpdump has them")
    func hex() {
        let bytes = Array("ABCDEFGHIJKLMNOPQ\n".utf8)
        #expect(
            HexDump.lines(bytes, showsText: true) == [
                "\t0x0000:  4142 4344 4546 4748 494a 4b4c 4d4e 4f50  ABCDEFGHIJKLMNOP",
                "\t0x0010:  510a                                     Q.",
            ])
        #expect(HexDump.lines(bytes, showsText: false).last == "\t0x0010:  510a")
        #expect(HexDump.text([0, 0xaf]) == "00af")
        // Beyond 64 KB an offset has a digit more.
        let long = HexDump.lines([UInt8](repeating: 0x41, count: 65_552), showsText: true)
        #expect(long.dropLast().last?.hasPrefix("\t0xfff0:  4141") == true)
        let last =
            "\t0x10000: " + String(repeating: " 4141", count: 8) + "  " + String(repeating: "A", count: 16)
        #expect(long.last == last)
    }
}

extension String {
    fileprivate func components(_ separator: Character) -> Int { split(separator: separator).count }
}
