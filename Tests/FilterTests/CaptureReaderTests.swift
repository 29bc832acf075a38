// SPDX-License-Identifier: Apache-2.0
import Foundation
import Packets
import PcapSupport
import TestSupport
import Testing
import XDP

@testable import Filter

@Suite("Reading capture files")
struct CaptureReaderTests {
    private let frame = Packet.ethernet().ipv4().udp(to: 53, payload: [1, 2, 3]).bytes

    // MARK: - What is written is read

    @Test("a pcap file of both byte orders and both clocks", arguments: [false, true], [false, true])
    func pcap(isBigEndian: Bool, isNano: Bool) throws {
        var writer = CaptureWriter(isBigEndian: isBigEndian)
        writer.header(isNano: isNano)
        writer.record(frame, seconds: 7, fraction: 5)
        writer.record(Array(frame.prefix(20)), length: 1500)
        writer.record([])
        let packets = try read(writer.bytes).packets
        #expect(packets.map(\.bytes) == [frame, Array(frame.prefix(20)), []])
        #expect(packets.map(\.length) == [frame.count, 1500, 0])
        #expect(packets[0].nanoseconds == 7_000_000_000 + (isNano ? 5 : 5000))
        #expect(packets[0].interface == nil && packets[0].queue == nil)
    }

    @Test("a pcapng file of both byte orders", arguments: [false, true])
    func pcapng(isBigEndian: Bool) throws {
        var writer = CaptureWriter(isBigEndian: isBigEndian)
        writer.section()
        writer.block(0xbad, [UInt8](repeating: 7, count: 100_000))
        writer.interface(name: "eth0")
        writer.interface(snapLength: 20, name: "eth1", resolution: 9)
        writer.packet(frame, time: 3_000_001)
        writer.packet(frame, interface: 1, time: 0x1_0000_0002, length: 2000, queue: 5)
        // A new section forgets interfaces; a simple packet is of the first one.
        writer.section()
        writer.interface(snapLength: 20)
        writer.block(3, writer.number(UInt64(frame.count), 4) + frame.prefix(20))
        let packets = try read(writer.bytes).packets
        #expect(packets.map(\.bytes) == [frame, frame, Array(frame.prefix(20))])
        #expect(packets.map(\.length) == [frame.count, 2000, frame.count])
        #expect(packets.map(\.interface) == ["eth0", "eth1", nil])
        #expect(packets.map(\.queue) == [nil, 5, nil])
        #expect(packets.map(\.nanoseconds) == [3_000_001_000, 0x1_0000_0002, 0])
    }

    @Test("clocks count in powers of ten and of two, and may be set off")
    func clocks() {
        func time(_ resolution: UInt8, _ units: UInt64, offset: Int64 = 0) -> UInt64 {
            var clock = CaptureClock()
            let isKnown = clock.setResolution(resolution)
            #expect(isKnown)
            clock.offset = offset
            return clock.nanoseconds(units)
        }
        #expect(time(0, 2) == 2_000_000_000 && time(3, 2) == 2_000_000 && time(9, 2) == 2)
        #expect(time(12, 2999) == 2 && time(0x81, 3) == 1_500_000_000)
        #expect(time(9, 5, offset: 1) == 1_000_000_005 && time(9, 5, offset: -1) == 0)
        #expect(time(0, .max) == .max && time(0, .max, offset: .max) == .max)
        for resolution: UInt8 in [20, 127, 0x80 | 64, 255] {
            var clock = CaptureClock()
            let isKnown = clock.setResolution(resolution)
            #expect(!isKnown)
        }
    }

    // MARK: - Beside libpcap

    @Test("what libpcap writes is read as it was", arguments: [false, true])
    func writtenByLibpcap(isNano: Bool) throws {
        let rules = RandomRuleSet.make(seed: 1)
        var packets: [PcapFile.Packet] = []
        for (number, packet) in RandomPackets(for: rules, seed: 1).prefix(200).enumerated() {
            packets.append(
                PcapFile.Packet(
                    bytes: packet.bytes, length: packet.bytes.count + number % 3,
                    nanoseconds: UInt64(number) * 1_234_567_000))
        }
        let path = NSTemporaryDirectory() + "/\(UUID().uuidString).pcap"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(PcapFile.write(packets, to: path, isNano: isNano))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let found = try read(bytes).packets.map {
            PcapFile.Packet(bytes: $0.bytes, length: $0.length, nanoseconds: $0.nanoseconds)
        }
        #expect(found == packets)
    }

    @Test("libpcap reads the files of these tests as they are read here", arguments: [false, true])
    func readByLibpcap(isBigEndian: Bool) throws {
        var plain = CaptureWriter(isBigEndian: isBigEndian)
        plain.header(isNano: true)
        var blocks = CaptureWriter(isBigEndian: isBigEndian)
        blocks.section()
        blocks.interface(snapLength: 65_535, name: "eth0", resolution: 9, offset: 100)
        blocks.block(5, [1, 2, 3])
        for number in 0..<50 {
            let packet = Array(frame.prefix(number))
            plain.record(packet, length: number + 5, seconds: UInt64(number), fraction: 17)
            blocks.packet(packet, time: UInt64(number) * 1_000_000_007, length: number + 5)
        }
        for bytes in [plain.bytes, blocks.bytes] {
            let path = NSTemporaryDirectory() + "/\(UUID().uuidString).pcap"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data(bytes).write(to: URL(filePath: path))
            let expected = try #require(PcapFile.read(path))
            #expect(expected.count == 50)
            let found = try read(bytes).packets.map {
                PcapFile.Packet(bytes: $0.bytes, length: $0.length, nanoseconds: $0.nanoseconds)
            }
            #expect(found == expected)
        }
    }

    // MARK: - What is wrong is said

    @Test("a file that ends within a packet has those before it, and says so")
    func cutShort() throws {
        var plain = CaptureWriter()
        plain.header()
        plain.record(frame)
        let plainStart = plain.bytes.count
        plain.record(frame)
        var blocks = CaptureWriter()
        blocks.section()
        blocks.interface()
        blocks.packet(frame)
        let blocksStart = blocks.bytes.count
        blocks.packet(frame)
        for (bytes, start) in [(plain.bytes, plainStart), (blocks.bytes, blocksStart)] {
            let whole = try read(bytes)
            #expect(whole.packets.count == 2 && !whole.isCutShort)
            let atEnd = try read(Array(bytes.prefix(start)))
            #expect(atEnd.packets.count == 1 && !atEnd.isCutShort)
            for length in (start + 1)..<bytes.count {
                let cut = try read(Array(bytes.prefix(length)))
                #expect(cut.packets.count == 1 && cut.isCutShort)
            }
        }
    }

    @Test("other files are refused with what to do")
    func otherFiles() {
        #expect(refusal([])?.why == "it is empty")
        #expect(refusal([1, 2, 3])?.why == "it is too short")
        #expect(refusal(Array("#!/bin/sh\n".utf8))?.why == "it is neither pcap nor pcapng")
        #expect(refusal([0x1f, 0x8b, 8, 0, 0, 0])?.remedy?.contains("gunzip -c") == true)
        #expect(refusal([0x28, 0xb5, 0x2f, 0xfd, 0])?.remedy?.contains("unzstd") == true)
        #expect(refusal([0xa1, 0xb2, 0xc3, 0xd4, 0])?.why == "it ends within its header")
    }

    @Test(
        "frames of other kinds than Ethernet are refused by name",
        arguments: [113, 276, 101, 147] as [UInt64])
    func linkTypes(type: UInt64) throws {
        var plain = CaptureWriter()
        plain.header(linkType: type)
        var blocks = CaptureWriter()
        blocks.section()
        blocks.interface(linkType: type)
        // An interface without packets does not matter.
        #expect(try read(blocks.bytes).packets.isEmpty)
        blocks.packet(frame)
        for bytes in [plain.bytes, blocks.bytes] {
            let error = try #require(refusal(bytes))
            #expect(error.why.contains("no Ethernet frames") && error.why.contains("\(type)"))
        }
    }

    @Test("damaged records are refused, not believed")
    func damage() throws {
        var plain = CaptureWriter()
        plain.header()
        plain.bytes += [UInt8](repeating: 0xff, count: 16)
        #expect(refusal(plain.bytes)?.why.contains("4294967295 bytes") == true)
        func expectRefusal(_ change: (inout CaptureWriter) -> Void) {
            var writer = CaptureWriter()
            writer.section()
            change(&writer)
            #expect(refusal(writer.bytes)?.why.hasPrefix("it is damaged") == true)
        }
        expectRefusal { $0.block(6, [], length: 8) }
        expectRefusal { $0.block(6, [], length: 13) }
        expectRefusal { $0.block(6, [], length: 1 << 30) }
        expectRefusal { $0.packet([1]) }
        expectRefusal {
            $0.interface()
            $0.block(6, $0.number(0, 12) + $0.number(5, 4) + $0.number(5, 4) + [1, 2, 3, 4])
        }
        expectRefusal { $0.interface(resolution: 99) }
        expectRefusal { $0.block(1, [1]) }
        expectRefusal { $0.bytes += [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4] }
    }

    @Test("a file without end needs no more memory than a packet does")
    func endless() throws {
        var writer = CaptureWriter()
        writer.section()
        writer.interface()
        let start = writer.bytes
        // A block of 1 GiB that is stepped over, and then a packet.
        let block = writer.number(0xbad, 4) + writer.number(1 << 30, 4)
        var packet = CaptureWriter()
        packet.packet(frame)
        var left = (1 << 30) - 8
        var pieces = [packet.bytes, block, start]
        var reader = try CaptureReader(name: "test") { () throws(XDPError) in
            if pieces.count == 1, left > 0 {
                let count = min(left, 1 << 20)
                left -= count
                return [UInt8](repeating: 0, count: count)
            }
            return pieces.popLast() ?? []
        }
        #expect(try reader.next()?.bytes == frame)
        #expect(try reader.next() == nil && left == 0)
    }

    // MARK: - Pieces

    private func read(_ bytes: [UInt8]) throws(XDPError) -> (packets: [CapturedPacket], isCutShort: Bool) {
        var left = bytes[...]
        // Pieces that end anywhere.
        var reader = try CaptureReader(name: "test.pcap") { () throws(XDPError) in
            defer { left = left.dropFirst(7) }
            return Array(left.prefix(7))
        }
        var packets: [CapturedPacket] = []
        while let packet = try reader.next() { packets.append(packet) }
        return (packets, reader.isCutShort)
    }

    private func refusal(_ bytes: [UInt8]) -> XDPError? {
        do throws(XDPError) {
            _ = try read(bytes)
            return nil
        } catch {
            return error
        }
    }
}
