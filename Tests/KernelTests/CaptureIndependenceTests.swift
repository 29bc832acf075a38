// SPDX-License-Identifier: Apache-2.0
import Capture
import Packets
import TestSupport
import Testing
import XDP

/// Several captures at once, of which none may change what another one sees. Needs root.
@Suite("Captures beside each other")
struct CaptureIndependenceTests {
    private typealias Bench = CaptureBench

    private static let marked = FilterBench.udp(53, from: "192.0.2.7")
    private static let other = FilterBench.udp(54)

    /// What each of these sees of the same packets: the points and numbers, a capture's own from 0 on.
    private static func seen(
        _ requests: [CaptureRequest], of packets: [Packet], on bench: Bench
    ) throws -> [[String]] {
        try bench.bench.namespace.run {
            let interface = try Interface(named: "tap")
            let sessions = try requests.map { request in try CaptureSession(request, on: interface) }
            // A sample is one of so many packets of each CPU.
            try OnProcessor.run(0) { for packet in packets { try bench.send(packet) } }
            // In another order than they were started in.
            return try sessions.enumerated().reversed().map { place, session in
                var frames: [CapturedFrame] = []
                let totals = try session.end { frame, _ in frames.append(frame) }
                #expect(totals.lost == 0 && totals.captured == UInt64(frames.count), "capture \(place)")
                var numbers: [UInt64: Int] = [:]
                for frame in frames where numbers[frame.record.packet] == nil {
                    numbers[frame.record.packet] = numbers.count
                }
                // Of this capture's packets a CPU numbers one after the other, from 1.
                for (_, group) in Dictionary(grouping: numbers.keys, by: { $0 & 0xfff }) {
                    #expect(group.map { $0 >> 12 }.sorted() == (1...UInt64(group.count)).map(\.self))
                }
                return frames.map { "\($0.point) \(numbers[$0.record.packet] ?? -1)" }
            }.reversed()
        }
    }

    @Test("filters, samples and packet numbers are each capture's own, in any order")
    func independent() throws {
        let bench = try Bench()
        try bench.load("pass", as: "one")
        try bench.load("choose")
        let everywhere = Bench.everywhere
        let ends = TapSelection(start: true, end: true)
        let requests = try [
            Bench.request(ends) { $0.every = 5 },
            Bench.request(everywhere),
            Bench.request(everywhere) {
                $0.program = try ClassicProgram(compiling: "src host 192.0.2.7")
                $0.every = 3
            },
            Bench.request(ends) { $0.program = try ClassicProgram(compiling: "udp port 54") },
        ]
        // One of three is marked.
        let packets = (0..<45).map { $0 % 3 == 0 ? Self.marked : Self.other }
        func expected(_ count: Int, _ points: [String]) -> [String] {
            (0..<count).flatMap { number in points.map { "\($0) \(number)" } }
        }
        let all = ["start", "one:entry", "one:exit", "choose:entry", "choose:exit", "end"]
        let wanted = [
            expected(9, ["start", "end"]), expected(45, all), expected(5, all),
            expected(30, ["start", "end"]),
        ]

        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
            let seen = try Self.seen(order.map { requests[$0] }, of: packets, on: bench)
            #expect(seen == order.map { wanted[$0] }, "\(order)")
            #expect(try bench.taps().isEmpty)
        }
    }

    @Test("a sample takes as many packets beside another one as alone")
    func samples() throws {
        let bench = try Bench()
        let packets = [Packet](repeating: Self.other, count: 60)
        let end = TapSelection(end: true)
        for pair in [(2, 3), (3, 2), (1, 4), (4, 1), (6, 6)] as [(UInt32, UInt32)] {
            let requests = [pair.0, pair.1].map { every in Bench.request(end) { $0.every = every } }

            let seen = try Self.seen(requests, of: packets, on: bench)

            #expect(seen.map(\.count) == [60 / Int(pair.0), 60 / Int(pair.1)], "\(pair)")
        }
    }
}
