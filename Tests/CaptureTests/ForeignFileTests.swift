// SPDX-License-Identifier: Apache-2.0
import Filter
import Foundation
import Packets
import Testing
import XDP

@testable import Capture

/// Files that others wrote of the same packets: DNS queries of 4 bytes from ports 4000 up.
@Suite("Capture files of others")
struct ForeignFileTests {
    private func read(_ name: String) throws -> (packets: [CapturedPacket], reader: CaptureReader) {
        let directory = URL(filePath: #filePath).deletingLastPathComponent()
        let bytes = [UInt8](try Data(contentsOf: directory.appending(path: "Golden/\(name)")))
        return try WrittenCapture.read(bytes)
    }

    private static func lines(_ packets: [CapturedPacket]) -> [String] {
        packets.map { PacketLine($0.bytes, length: $0.length).text }
    }

    private static let queries = (4000...4002).map { "udp 10.9.0.2:\($0) > 10.9.0.1:53 data 4 len 46" }

    @Test("one of tcpdump, with nanoseconds")
    func tcpdump() throws {
        let (packets, reader) = try read("tcpdump.pcap")
        #expect(Self.lines(packets) == Array(Self.queries.prefix(2)))
        #expect(packets[0].nanoseconds == 1_795_409_764_707_538_950)
        #expect(reader.interfaces.isEmpty && packets[0].interfaceNumber == nil)
    }

    @Test("one of dumpcap: the interface, the filter, the statistics")
    func dumpcap() throws {
        let (packets, reader) = try read("dumpcap.pcapng")
        #expect(Self.lines(packets) == Array(Self.queries.prefix(2)))
        let interface = try #require(reader.interfaces.first)
        #expect(interface.name == "fnear" && interface.filter == "udp" && interface.snapLength == 262_144)
        #expect(interface.system == "Linux 6.18.44-generic")
        #expect(reader.statistics[0]?.received == 2 && reader.statistics[0]?.lost == 0)
        #expect(packets[0].verdict == nil && CapturePlace(parsing: packets[0].interface ?? "").point == nil)
    }

    @Test("one of xdpdump: points, queues and packet ids")
    func xdpdump() throws {
        let (packets, reader) = try read("xdpdump.pcapng")
        #expect(Self.lines(packets) == Self.queries)
        #expect(packets.map(\.packetID) == [1, 2, 3] && packets.allSatisfy { $0.queue == 0 })
        #expect(
            reader.interfaces.map { CapturePlace(parsing: $0.name ?? "").point } == [
                TapPoint(.entry, member: "xdpdump"), TapPoint(.exit, member: "xdpdump"),
            ])
    }
}
