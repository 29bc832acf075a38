// SPDX-License-Identifier: Apache-2.0
import Capture
import Netlink
import Packets
import PcapSupport
import TestSupport
import Testing
import XDP

/// Expressions on packets as they arrive, in several buffers and cut short. Needs root.
@Suite("Captures: expressions on an interface", .serialized)
struct CaptureExpressionLiveTests {
    private typealias Bench = CaptureBench

    /// Captures by an expression what is sent, and holds it against libpcap's interpreter. Returns how many matched.
    private static func compare(
        _ expression: String, _ frames: [[UInt8]], _ bench: CaptureBench
    ) throws -> Int {
        let filter = try PcapFilter(expression, isOptimised: false)
        let request = try Bench.request(TapSelection(end: true)) {
            $0.program = try ClassicProgram(compiling: expression)
            $0.bufferSize = 8 << 20
        }
        var matched: [[UInt8]] = []
        // The ring between the two ends of a veth pair has 256 places.
        var batches: [(frames: [[UInt8]], expected: [[UInt8]])] = []
        for start in stride(from: 0, to: frames.count, by: 192) {
            let batch = Array(frames[start..<min(start + 192, frames.count)])
            let expected = batch.filter { filter.matches($0) }
            batches.append((batch, expected))
            matched += expected
        }
        let seen = try bench.capturing(request, on: "near") { [batches] session in
            var seen: [[UInt8]] = []
            for batch in batches {
                try bench.bench.send(batch.frames.map { Packet.raw($0) })
                seen += try Bench.read(session, batch.expected.count).map(\.bytes)
            }
            // What should not have matched.
            _ = try session.read(milliseconds: 20) { _, bytes in
                seen.append(bytes.withUnsafeBytes { Array($0) })
            }
            return seen
        }
        #expect(seen == matched, "\(expression): \(seen.count) of \(matched.count)")
        return matched.count
    }

    @Test("bytes are found in whatever buffer they are, also where they are in two")
    func buffers() throws {
        try KernelNeed.frags.check()
        let bench = try Bench(mtu: 9000)
        // Each packet says at byte 40 where its mark may be: somewhere in it the first buffer ends.
        let mark: [UInt8] = [0xca, 0xfe, 0xf0, 0x0d]
        var frames: [[UInt8]] = []
        for place in Array(2900...4200) + [46, 8000, 8995, 9008, 9009, 9010, 9011, 9013] {
            var bytes = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: 9014).bytes
            bytes[42] = UInt8(place >> 8)
            bytes[43] = UInt8(place & 0xff)
            if place % 2 == 0 {
                for (index, byte) in mark.enumerated() where place + index < bytes.count {
                    bytes[place + index] = byte
                }
            }
            frames.append(bytes)
        }

        let count = try Self.compare("ether[ether[42:2]:4] = 0xcafef00d", frames, bench)
        #expect(count > 600 && count < 700)
        for expression in [
            "udp and ether[3600:4] = 0xcafef00d", "ether[4000:2] = 0xcafe or ether[8000:4] = 0xcafef00d",
            "ip[9008 - 14:4] = 0xcafef00d or udp[4000] > 0", "ether[len - 4:4] != 0",
        ] {
            #expect(try Self.compare(expression, frames, bench) > 0)
        }
    }

    @Test("the length is that of all buffers together")
    func length() throws {
        try KernelNeed.frags.check()
        let bench = try Bench(mtu: 9000)
        let lengths = [14, 60, 999, 1000, 1001, 3000, 3999, 4000, 4001, 8999, 9000, 9001, 9014]
        let frames = lengths.map { Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: $0).bytes }
            .enumerated().map { Array($1.prefix(lengths[$0])) }
        for (expression, expected) in [
            ("greater 1000", 10), ("less 1000", 4), ("len = 4000", 1), ("len != 4000", 12), ("len > 9000", 2),
            ("greater 4000 and less 9000", 4), ("less 64 or greater 9001", 4), ("len & 1 = 0 and udp", 6),
            ("not less 4000", 5), ("udp and greater 4001 and not greater 9014", 4),
        ] {
            #expect(try Self.compare(expression, frames, bench) == expected, "\(expression)")
        }
    }

    @Test("the length stays right while members come and go that take packets of one buffer only")
    func relinked() throws {
        try KernelNeed.frags.check()
        let bench = try Bench(mtu: 9000)
        let request = try Bench.request(TapSelection(end: true)) {
            $0.program = try ClassicProgram(compiling: "len = 8000 or len = 1000")
            $0.snapLength = 20
        }
        @Sendable func setMTU(_ mtu: UInt32) throws {
            var route = try RouteSocket(in: bench.bench.namespace)
            for index in [bench.bench.index, bench.bench.far] { try route.setMTU(mtu, of: index) }
        }

        try bench.capturing(request, on: "near") { session in
            func expect(_ lengths: [Int], inBuffers: Bool) throws {
                #expect(try bench.bench.chain().manifest.supportsFrags == inBuffers)
                try bench.bench.send(
                    lengths.map { Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: $0) })
                let expected = lengths.filter { $0 == 1000 || $0 == 8000 }
                let seen = try Bench.read(session, expected.count).map { Int($0.frame.record.length) }
                #expect(seen == expected)
            }
            try expect([999, 8000, 1000, 8001], inBuffers: true)
            try setMTU(1500)
            try bench.load("pass", on: "near")
            try expect([999, 1000, 1001, 1000], inBuffers: false)
            try bench.bench.edit { editor throws(XDPError) in try editor.unload(nil) }
            try setMTU(9000)
            try expect([7999, 1000, 8000], inBuffers: true)
        }
    }

    @Test("short packets and long ones match as libpcap says", arguments: [1500, 9000] as [UInt32])
    func frames(mtu: UInt32) throws {
        if mtu > 1500 { try KernelNeed.frags.check() }
        let bench = try Bench(mtu: mtu)
        var source = PcapFrame(seed: UInt64(mtu))
        source.shortest = 14
        source.longOneIn = mtu > 1500 ? 5 : 1 << 30
        var frames: [[UInt8]] = []
        while frames.count < 640 {
            let frame = source.next()
            if frame.count <= Int(mtu) + 14 { frames.append(frame) }
        }
        var total = 0
        for expression in [
            "tcp port 80 or udp port 53", "not tcp", "ip6 or arp", "vlan and ip",
            "ip[6:2] & 0x1fff = 0 and tcp",
            "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "udp[8:2] & 0x8000 = 0", "ether[14] & 0xf != 5",
            "not ether[59] > 3", "len - 20 > ip[2:2]", "ip6 protochain 17",
        ] {
            total += try Self.compare(expression, frames, bench)
        }
        #expect(total > 640)
    }
}
