// SPDX-License-Identifier: Apache-2.0
import Filter
import Packets
import Testing

@Suite("A packet in one line")
struct PacketSummaryTests {
    private static let ipv4 = Packet.ethernet().ipv4(from: "192.0.2.1", to: "198.51.100.7")

    @Test(
        "says what the packet is",
        arguments: [
            (ipv4.tcp(from: 40_000, to: 22, flags: .syn), "tcp 192.0.2.1:40000 > 198.51.100.7:22 [S] len 54"),
            (
                ipv4.tcp(from: 40_000, to: 22, flags: [.psh, .ack]),
                "tcp 192.0.2.1:40000 > 198.51.100.7:22 [P.] len 54"
            ),
            (ipv4.tcp(from: 1, to: 2, flags: []), "tcp 192.0.2.1:1 > 198.51.100.7:2 [none] len 54"),
            (ipv4.udp(from: 53, to: 1024), "udp 192.0.2.1:53 > 198.51.100.7:1024 len 42"),
            (ipv4.ping(), "icmp 192.0.2.1 > 198.51.100.7 echo-request len 42"),
            (
                Packet.ethernet().vlan(42).vlan(7).ipv6(from: "2001:db8::1", to: "2001:db8::2")
                    .udp(from: 1, to: 2),
                "udp [2001:db8::1]:1 > [2001:db8::2]:2 vlan 42.7 len 70"
            ),
            (
                Packet.ethernet().ipv4(from: "192.0.2.1", to: "198.51.100.7", fragment: .last(at: 80))
                    .udp(from: 1, to: 2),
                "udp 192.0.2.1 > 198.51.100.7 later fragment len 42"
            ),
            (
                Packet.ethernet().arp(.request, sender: "192.0.2.1", target: "192.0.2.2"),
                "arp 02:00:00:00:00:01 > 02:00:00:00:00:02 len 42"
            ),
            (
                Packet.ethernet(type: 0x9999).payload(length: 10),
                "ethertype 0x9999 02:00:00:00:00:01 > 02:00:00:00:00:02 len 24"
            ),
            (
                Packet.ethernet(type: 0x0800).payload(length: 10),
                "bad ip 02:00:00:00:00:01 > 02:00:00:00:00:02 len 24"
            ),
            (Packet.raw([1, 2, 3]), "frame len 3"),
        ])
    func text(packet: Packet, expected: String) {
        #expect(PacketSummary(PacketFields(packet: packet.bytes)).description == expected)
    }
}
