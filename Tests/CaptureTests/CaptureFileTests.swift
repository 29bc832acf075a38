// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import Packets
import Testing
import XDP

@testable import Capture

@Suite("Writing capture files")
struct CaptureFileTests {
    private let udp = Packet.ethernet().ipv4(from: "192.0.2.1", to: "198.51.100.7").udp(
        from: 4000, to: 53, payload: [1, 2, 3]
    ).bytes
    private static let time = WrittenCapture.time

    /// A packet at four points, and one that a code drops that is no verdict.
    private func capture(_ path: String) throws {
        var request = CaptureRequest()
        request.program.expression = "udp port 53 and not host größer"
        request.verdicts = [.drop, .pass]
        request.every = 3
        request.snapLength = 40
        var writer = try WrittenCapture.writer(path, request: request)
        let steps: [(Int, UInt32)] = [
            (0, Tap.noVerdict), (1, Tap.noVerdict), (2, 2), (3, 1), (4, 3), (3, 77),
        ]
        for (number, (point, verdict)) in steps.enumerated() {
            let frame = try WrittenCapture.frame(
                point, verdict: verdict, packet: 0x1_0000_0007, length: udp.count, captured: 40, queue: 5,
                time: Self.time + UInt64(number) * 1_000_000_001)
            try writer.write(frame, Array(udp.prefix(40)).span.bytes)
        }
        writer.note(
            CaptureTotals(points: [
                .init(point: WrittenCapture.points[0], captured: 1, lost: 2, seen: 1000),
                .init(point: WrittenCapture.points[1], captured: 1, lost: 0, seen: nil),
            ]))
        try writer.file.finish(at: Self.time + 9_000_000_000)
    }

    private static let names = [
        "eth0 start", "eth0 ids:entry", "eth0 ids:exit", "eth0 ids:end", "eth0 lb:end",
    ]

    @Test("what is written is read again, all of it")
    func roundTrip() throws {
        let scratch = try Scratch()
        try capture(scratch("a.pcapng"))
        let (packets, reader) = try WrittenCapture.read(try scratch.bytes("a.pcapng"))

        #expect(packets.allSatisfy { $0.bytes == Array(udp.prefix(40)) && $0.length == udp.count })
        #expect(
            packets.map(\.interface) == [
                "eth0 start", "eth0 ids:entry", "eth0 ids:exit", "eth0 ids:end", "eth0 lb:end",
                "eth0 ids:end",
            ])
        #expect(packets.map(\.verdict) == [nil, nil, 2, 1, 3, 77])
        #expect(packets.map(\.flags) == [1, 1, 1, 1, 2, 1])
        #expect(packets.allSatisfy { $0.queue == 5 && $0.packetID == 0x1_0000_0007 })
        #expect(
            packets.map(\.comments) == [
                [], [], [], ["ids: drop"], ["lb: tx"], ["ids: 77, which is no verdict: aborted"],
            ])
        #expect(packets[5].nanoseconds == Self.time + 5_000_000_005)
        #expect(!reader.isCutShort)
        #expect(reader.interfaces.map(\.name) == Self.names)
        #expect(reader.interfaces.map(\.description).last == "XDP: after the chain, with the verdict of lb")
        #expect(
            reader.interfaces.allSatisfy {
                $0.filter == "udp port 53 and not host größer" && $0.snapLength == 40
                    && $0.system == "Linux 6.18" && $0.comment == "only verdicts drop, pass; one of 3 packets"
            })
        let end = Self.time + 9_000_000_000
        #expect(
            reader.statistics[0]
                == CaptureFileStatistics(
                    start: Self.time, end: end, received: 1000, lost: 2, accepted: 3, delivered: 1))
        #expect(reader.statistics[3]?.delivered == 2 && reader.statistics[1]?.received == nil)
        #expect(
            packets.compactMap(\.interface).map { CapturePlace(parsing: $0).point }
                == [0, 1, 2, 3, 4, 3].map { WrittenCapture.points[$0] })
    }

    @Test("tshark finds every field, and nothing to complain of")
    func tshark() throws {
        let scratch = try Scratch()
        try capture(scratch("a.pcapng"))
        let found = try Tool.fields(
            scratch("a.pcapng"), "frame.interface_name", "frame.interface_queue", "frame.packet_id",
            "frame.verdict.ebpf_xdp", "frame.comment", "frame.len", "frame.cap_len", "frame.time_epoch",
            "udp.dstport", "frame.interface_description")
        #expect(found.errors == "" && found.status == 0)
        #expect(
            found.lines == [
                "eth0 start|5|4294967303|||45|40|1795395723.000000000|53|XDP: before the first member",
                "eth0 ids:entry|5|4294967303|||45|40|1795395724.000000001|53|XDP: before ids",
                "eth0 ids:exit|5|4294967303|2||45|40|1795395725.000000002|53|XDP: after ids",
                "eth0 ids:end|5|4294967303|1|ids: drop|45|40|1795395726.000000003|53|XDP: after the chain, with the verdict of ids",
                "eth0 lb:end|5|4294967303|3|lb: tx|45|40|1795395727.000000004|53|XDP: after the chain, with the verdict of lb",
                "eth0 ids:end|5|4294967303|77|ids: 77, which is no verdict: aborted|45|40|1795395728.000000005|53|XDP: after the chain, with the verdict of ids",
            ])
    }

    @Test("capinfos finds the interfaces, their filter, and what the statistics say")
    func capinfos() throws {
        let scratch = try Scratch()
        try capture(scratch("a.pcapng"))
        let found = try Tool.run("capinfos", [scratch("a.pcapng")])
        #expect(found.errors == "" && found.status == 0)
        for text in [
            "File type:           Wireshark/... - pcapng", "Number of packets:   6",
            "Capture hardware:    x86_64",
            "Capture oper-sys:    Linux 6.18", "Capture application: xdpctl 0",
            "Number of interfaces in file: 5", "Name = eth0 lb:end", "Capture length = 40",
            "Time precision = nanoseconds (9)", "Filter string = udp port 53 and not host größer",
            "Number of stat entries = 1",
        ] {
            #expect(found.output.contains(text), "\(text)\n\(found.output)")
        }
    }

    @Test("tcpdump reads it as well")
    func tcpdump() throws {
        let scratch = try Scratch()
        try capture(scratch("a.pcapng"))
        let found = try Tool.run("tcpdump", ["-n", "-tt", "-r", scratch("a.pcapng")])
        #expect(found.errors == "" && found.status == 0)
        #expect(found.lines.count == 6)
        #expect(
            found.lines.first?.hasPrefix("1795395723.000000 IP 192.0.2.1.4000 > 198.51.100.7.53:") == true)
    }

    @Test("packets of all lengths are filled up as they should be", arguments: 0..<9)
    func lengths(size: Int) throws {
        let scratch = try Scratch()
        var writer = try WrittenCapture.writer(scratch("a.pcapng"))
        let bytes = [UInt8](repeating: 0xab, count: size)
        try writer.write(try WrittenCapture.frame(0, length: size), bytes.span.bytes)
        try writer.write(try WrittenCapture.frame(3, verdict: 1, length: size), bytes.span.bytes)
        try writer.file.finish(at: Self.time)
        let packets = try WrittenCapture.read(try scratch.bytes("a.pcapng")).packets
        #expect(packets.map(\.bytes) == [bytes, bytes])
        let found = try Tool.fields(scratch("a.pcapng"), "frame.cap_len", "frame.packet_id")
        #expect(found.errors == "" && found.lines == ["\(size)|1", "\(size)|1"])
    }

    @Test("the largest packet goes through")
    func largest() throws {
        let scratch = try Scratch()
        var writer = try WrittenCapture.writer(scratch("a.pcapng"))
        let bytes = [UInt8](repeating: 1, count: 262_144)
        for _ in 0..<3 {
            try writer.write(try WrittenCapture.frame(0, length: bytes.count), bytes.span.bytes)
        }
        try writer.file.finish(at: Self.time)
        #expect(
            try WrittenCapture.read(try scratch.bytes("a.pcapng")).packets.map(\.bytes.count) == [
                262_144, 262_144, 262_144,
            ])
        #expect(
            try Tool.fields(scratch("a.pcapng"), "frame.cap_len").lines == ["262144", "262144", "262144"])
    }

    @Test("a file that was cut off anywhere has the packets before that")
    func cutOff() throws {
        let scratch = try Scratch()
        try capture(scratch("a.pcapng"))
        let bytes = try scratch.bytes("a.pcapng")
        var most = 0
        for length in stride(from: 28, to: bytes.count, by: 4) {
            let found = try WrittenCapture.read(Array(bytes.prefix(length)))
            #expect(found.packets.count >= most)
            most = found.packets.count
        }
        #expect(most == 6)
    }

    @Test("texts that are too long are cut between characters")
    func longTexts() throws {
        var encoder = BlockEncoder()
        encoder.addSection(CaptureOrigin())
        encoder.addInterface(CaptureFileInterface(name: "a" + String(repeating: "ö", count: 40_000)))
        let reader = try WrittenCapture.read(encoder.bytes).reader
        #expect(reader.interfaces.first?.name == "a" + String(repeating: "ö", count: 16_383))
    }
}
