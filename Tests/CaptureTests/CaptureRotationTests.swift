// SPDX-License-Identifier: Apache-2.0
import Filter
import Packets
import Testing
import XDP

@testable import Capture

@Suite("Captures in several files")
struct CaptureRotationTests {
    private let frame = Packet.ethernet().ipv4().udp(to: 53).padded(to: 1000).bytes

    private func write(_ count: Int, _ rotation: CaptureRotation, to path: String, step: UInt64 = 1) throws {
        var writer = try WrittenCapture.writer(path, rotation: rotation)
        for number in 0..<count {
            let frame = try WrittenCapture.frame(
                number % 3, packet: UInt64(number), length: 1000,
                time: WrittenCapture.time + UInt64(number) * step)
            try writer.write(frame, self.frame.span.bytes)
            writer.note(
                CaptureTotals(points: [
                    .init(
                        point: WrittenCapture.points[0], captured: 0, lost: UInt64(number),
                        seen: UInt64(number * 2))
                ]))
        }
        try writer.file.finish(at: WrittenCapture.time + UInt64(count) * step)
    }

    @Test("files have at most the size, all are whole, and nothing is lost between them")
    func bySize() throws {
        let scratch = try Scratch()
        try write(50, CaptureRotation(bytes: 10_000), to: scratch("a.pcapng"))

        #expect(scratch.names.first == "a_00001.pcapng" && scratch.names.count > 5)
        var ids: [UInt64?] = []
        var lost: UInt64 = 0
        for name in scratch.names {
            let bytes = try scratch.bytes(name)
            #expect(bytes.count <= 10_000)
            let (packets, reader) = try WrittenCapture.read(bytes)
            ids += packets.map(\.packetID)
            #expect(reader.interfaces.count == 3 && reader.statistics.count == 3)
            #expect(reader.statistics.values.reduce(0) { $0 + ($1.delivered ?? 0) } == UInt64(packets.count))
            lost += reader.statistics[0]?.lost ?? 0
            let found = try Tool.fields(scratch(name), "frame.packet_id")
            #expect(found.errors == "" && found.lines == packets.map { "\($0.packetID ?? 0)" })
        }
        #expect(ids == (0..<50).map { UInt64($0) })
        // What each file says adds up.
        #expect(lost == 49)
    }

    @Test("who counts less than before has begun anew, and is not believed to have lost the difference")
    func begunAnew() throws {
        let scratch = try Scratch()
        let writer = try WrittenCapture.writer(scratch("a"), rotation: CaptureRotation(seconds: 1))
        for (number, seen) in [UInt64(100), 30].enumerated() {
            writer.file.note(CaptureFileStatistics(received: seen, lost: seen), of: 0)
            try writer.file.rotateIfDue(WrittenCapture.time + UInt64(number + 1) * 1_000_000_000)
        }
        let statistics = try scratch.names.prefix(2).map {
            try WrittenCapture.read(try scratch.bytes($0)).reader.statistics[0]
        }
        #expect(statistics.first??.received == 100 && statistics.dropFirst().first??.received == 0)
        #expect(statistics.dropFirst().first??.lost == 0)
    }

    @Test("a ring has so many files and no more, also when it is begun anew")
    func ring() throws {
        let scratch = try Scratch()
        for _ in 0..<2 { try write(100, CaptureRotation(bytes: 10_000, files: 3), to: scratch("a.pcapng")) }
        #expect(scratch.names == ["a_1.pcapng", "a_2.pcapng", "a_3.pcapng"])
        let ids = try scratch.names.flatMap {
            try WrittenCapture.read(try scratch.bytes($0)).packets.map(\.packetID)
        }
        #expect(Set(ids).count == ids.count && ids.contains(99) && !ids.contains(0))
    }

    @Test("a file for each time, also for times without packets, begins when it should")
    func byTime() throws {
        let scratch = try Scratch()
        try write(10, CaptureRotation(seconds: 10), to: scratch("a"), step: 4_000_000_000)
        #expect(scratch.names == ["a_00001", "a_00002", "a_00003", "a_00004"])
        let ids = try scratch.names.map {
            try WrittenCapture.read(try scratch.bytes($0)).packets.map(\.packetID)
        }
        #expect(ids == [[0, 1, 2], [3, 4], [5, 6, 7], [8, 9]])
        let start = try WrittenCapture.read(try scratch.bytes("a_00003")).reader.statistics[0]?.start
        #expect(start == WrittenCapture.time + 20_000_000_000)
    }

    @Test("time goes on without packets")
    func idle() throws {
        let scratch = try Scratch()
        let writer = try WrittenCapture.writer(scratch("a"), rotation: CaptureRotation(seconds: 1))
        try writer.file.rotateIfDue(WrittenCapture.time + 999_999_999)
        #expect(writer.file.tally.files == 1)
        try writer.file.rotateIfDue(WrittenCapture.time + 1_000_000_000)
        #expect(writer.file.tally.files == 2)
        // A clock that was set back is no reason for a file.
        try writer.file.rotateIfDue(0)
        #expect(writer.file.tally.files == 2)
        try writer.file.finish(at: 0)
        #expect(try WrittenCapture.read(try scratch.bytes("a_00002")).reader.statistics.count == 3)
    }

    @Test("names can be made of the time; one that was there gets a number; the oldest goes")
    func namesByTime() throws {
        func names(_ rotation: CaptureRotation, _ times: [UInt64]) -> [(String, String?)] {
            var names = CaptureFileNames("/d/%s.pcapng", rotation)
            return times.map { names.next(at: $0) }.map { ($0.name, $0.outdated) }
        }
        let found = names(CaptureRotation(seconds: 5, files: 2), [100, 105, 105, 110])
        #expect(found.map(\.0) == ["/d/100.pcapng", "/d/105.pcapng", "/d/105_2.pcapng", "/d/110.pcapng"])
        #expect(found.map(\.1) == [nil, nil, "/d/100.pcapng", "/d/105.pcapng"])
        // Without a time it is a name like others.
        #expect(names(CaptureRotation(bytes: 5000), [1]).map(\.0) == ["/d/%s_00001.pcapng"])
    }

    @Test("numbers stand before the ending")
    func numbered() {
        #expect(CaptureFileNames.numbered("/a.b/c", "1") == "/a.b/c_1")
        #expect(CaptureFileNames.numbered("c.pcapng", "1") == "c_1.pcapng")
        #expect(CaptureFileNames.numbered("d/.hidden", "1") == "d/.hidden_1")
    }

    @Test("standard output is one file")
    func standardOutput() {
        let error = #expect(throws: XDPError.self) {
            _ = try WrittenCapture.writer("-", rotation: CaptureRotation(seconds: 1))
        }
        #expect(error?.kind == .invalid)
    }

    @Test(
        "sizes have units",
        arguments: [
            ("10M", 10_485_760), ("100MB", 104_857_600), ("64KiB", 65536), ("2g", 2_147_483_648),
            ("5000B", 5000),
            ("100", nil), ("M", nil), ("", nil), ("1.5M", nil), ("-1M", nil), ("99999999T", nil), ("1X", nil),
        ] as [(String, UInt64?)])
    func sizes(text: String, expected: UInt64?) {
        #expect(CaptureRotation.size(text) == expected)
    }
}
