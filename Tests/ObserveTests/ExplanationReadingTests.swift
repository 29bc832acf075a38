// SPDX-License-Identifier: Apache-2.0
import Filter
import Packets
import Testing

@testable import Observe

/// What is read from files of the kernel, and from packets.
@Suite("Readings for explanations")
struct ExplanationReadingTests {
    @Test(
        "lines that are none do no harm",
        arguments: ["", "cpu", "cpu0", "cpu0 x y", "\u{0}\u{0}", "cpu0 1 2 3 4 5 6"])
    func damaged(_ text: String) {
        #expect(ProtocolReading(tables: text, list: text).counters.isEmpty)
        #expect(SocketReading.count(in: text) == nil)
    }

    @Test("protocols' counters get the names that nstat gives them")
    func protocols() {
        let text = """
            Ip: Forwarding DefaultTTL InReceives
            Ip: 1 64 100
            Tcp: RtoAlgorithm MaxConn InCsumErrors
            Tcp: 1 -1 7
            TcpExt: ListenDrops
            TcpExt: 3
            """
        let reading = ProtocolReading(tables: text, list: "Ip6InReceives                 \t12\nbad\n")
        #expect(reading.counters["IpInReceives"] == 100)
        #expect(reading.counters["TcpMaxConn"] == nil)
        #expect(reading.counters["TcpInCsumErrors"] == 7)
        #expect(reading.counters["TcpExtListenDrops"] == 3)
        #expect(reading.counters["Ip6InReceives"] == 12)
        #expect(reading.grown(since: ProtocolReading(tables: "", list: ""))["TcpExtListenDrops"] == 3)
    }

    @Test("sockets are counted by the kernel's table of protocols")
    func sockets() {
        #expect(SocketReading.count(in: "protocol  size sockets\nXDP  1088  3  -1  NI  0\nUDP 1 9\n") == 3)
    }

    @Test("checksums of TCP and UDP over both versions of IP, with padding and without")
    func checksums() throws {
        let packets: [Packet] = [
            .ethernet().ipv4().udp(from: 1, to: 2), .ethernet().ipv4().udp(from: 1, to: 2).padded(to: 61),
            .ethernet().ipv4().tcp(from: 1, to: 2), .ethernet().ipv6().udp(from: 3, to: 4),
            .ethernet().ipv6().tcp(from: 3, to: 4),
        ]
        for packet in packets {
            var bytes = packet.bytes
            #expect(ChecksumCheck.isRight(bytes, PacketFields(packet: bytes)) == true, "\(packet)")
            let place = try #require(PacketFields(packet: bytes).transportOffset)
            bytes[place] ^= 0x10
            #expect(ChecksumCheck.isRight(bytes, PacketFields(packet: bytes)) == false, "\(packet)")
            for length in 0..<bytes.count {
                let cut = Array(bytes.prefix(length))
                _ = ChecksumCheck.isRight(cut, PacketFields(packet: cut))
            }
        }
        let other = Packet.ethernet().padded(to: 60).bytes
        #expect(ChecksumCheck.isRight(other, PacketFields(packet: other)) == nil)
    }

    @Test("of captured packets examples are kept, a few of each kind")
    func samples() {
        var collector = SampleCollector()
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).bytes
        for _ in 0..<10 { collector.take(packet, length: packet.count, member: "fw", verdict: .drop) }
        for port in 1...9 {
            let other = Packet.ethernet().ipv4().udp(from: 5, to: UInt16(port)).bytes
            collector.take(other, length: other.count, member: "lb", verdict: .tx)
        }
        #expect(collector.facts.groups.count == 2)
        let dropped = collector.facts.groups(of: .drop, member: "fw").first
        #expect(dropped?.packets == 10 && dropped?.examples.count == 1)
        #expect(dropped?.checked == 10 && dropped?.wrong == 0)
        #expect(collector.facts.groups(of: .tx).first?.examples.count == 3)
    }
}
