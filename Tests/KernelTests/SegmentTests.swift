// SPDX-License-Identifier: Apache-2.0
import BPF
import Packets
import TestSupport
import Testing
import XDP

/// Chains of several programs, on a veth pair with real packets. Needs root.
@Suite("Segments on the kernel")
struct SegmentTests {
    private static let passing = ChainBench.packet(for: .pass)

    private static func requests(_ count: Int, of fixture: String) throws -> [LoadRequest] {
        try (0..<count).map { place in
            var request = LoadRequest(path: try Fixture.path(fixture))
            request.name = "m\(place)"
            return request
        }
    }

    private static func segments(_ report: ChangeReport) -> Int {
        1 + (report.chain.members.map(\.composition.segment).max() ?? 0)
    }

    /// What one program cannot hold.
    static let causes: [(fixture: String, count: Int, segments: Int)] = [
        // Maps: forty each; a map each and the counters; four each. Functions. The verifier's million.
        ("maps40", 3, 3), ("ports", 64, 2), ("counters", 40, 3), ("functions", 5, 5), ("branches", 28, 2),
    ]

    @Test("what one program cannot hold is several, and every member sees every packet", arguments: causes)
    func chosen(fixture: String, count: Int, segments: Int) throws {
        let bench = try ChainBench()
        let requests = try Self.requests(count, of: fixture)
        let report = try bench.edit { editor throws(XDPError) in try editor.load(requests) }

        #expect(Self.segments(report) == segments)
        #expect(report.chain.members.allSatisfy { $0.composition.mode == .inline })
        #expect(
            report.notes.contains { $0.hasPrefix("the chain is \(segments) programs") }, "\(report.notes)")
        try bench.send([Packet](repeating: Self.passing, count: 6))
        let counters = try bench.counters(seeing: 6)
        for name in counters.keys {
            #expect(counters[name]?[.pass] == Counter(packets: 6, bytes: 360), "\(name)")
            #expect(counters[name]?.missed.packets == 0)
        }
        let status = try bench.xdpctl("status", "near")
        #expect(status.output.contains(" of \(segments)"), "\(status)")
    }

    @Test(
        "segments and isolated members together count as a chain of one does",
        arguments: CounterMode.allCases)
    func together(mode: CounterMode) throws {
        let bench = try ChainBench()
        var requests: [LoadRequest] = []
        for (place, fixture) in ["counters", "maps40", "maps40", "counters", "maps40", "drop"].enumerated() {
            var request = LoadRequest(path: try Fixture.path(fixture))
            request.name = "m\(place)"
            request.isIsolated = place == 3
            requests.append(request)
        }
        let report = try bench.edit { [requests] editor throws(XDPError) in
            try editor.load(requests, counters: mode)
        }
        #expect(Self.segments(report) == 3)

        try bench.send([Packet](repeating: Self.passing, count: 9))

        let active = try bench.chain()
        #expect(try eventually { try active.map(".bss", of: "m3").number() == 9 })
        #expect(try active.map(".bss", of: "m0").number() == 9)
        guard mode != .off else { return }
        let counters = try bench.counters(seeing: 9)
        #expect(try eventually { try bench.counters(seeing: 9)["m5"]?[.drop].packets == 9 })
        for place in 0..<5 {
            #expect(counters["m\(place)"]?[.pass] == Counter(packets: 9, bytes: mode == .bytes ? 540 : 0))
        }
    }

    @Test("edges lead into the middle of later segments")
    func middle() throws {
        let bench = try ChainBench()
        try bench.load("choose", as: "first")
        let requests = try Self.requests(6, of: "maps40")
        let report = try bench.edit { editor throws(XDPError) in try editor.load(requests) }
        try bench.edit { editor throws(XDPError) in
            try editor.setEdges(
                "first", [.drop: .member("m2"), .tx: .member("m5"), .aborted: .member("m4")])
        }
        #expect(Self.segments(report) == 6)

        for verdict in [Verdict.aborted, .drop, .drop, .pass, .tx] {
            try bench.send([ChainBench.packet(for: verdict)])
        }
        let counters = try bench.counters(seeing: 5)

        #expect(try eventually { try bench.counters(seeing: 5)["m5"]?.total.packets == 5 })
        #expect((0..<6).map { counters["m\($0)"]?.total.packets } == [1, 1, 3, 3, 4, 5])
        #expect(counters.values.allSatisfy { $0.missed.packets == 0 })
    }

    @Test("a chain that fits again is one program again, and its former ones go")
    func fitsAgain() throws {
        let bench = try ChainBench()
        let requests = try Self.requests(2, of: "maps40")
        try bench.edit { editor throws(XDPError) in try editor.load(requests) }
        let array = try bench.chain().manifest.segmentArray
        let programs = try (0..<2).compactMap { try BPFMap(id: array).programID(at: $0) }
        #expect(BPFPins.arrays().contains(array))
        #expect(programs.count == 1)

        try bench.edit { editor throws(XDPError) in try editor.unload(["m0"]) }
        try bench.send([Self.passing])

        #expect(try bench.chain().manifest.segmentArray == 0)
        #expect(try bench.counters(seeing: 1)["m1"]?[.pass].packets == 1)
        #expect(!BPFPins.arrays().contains(array))
        #expect(try eventually { try !KernelIDs.programs().contains(programs[0]) })
        #expect(try eventually { try !KernelIDs.maps().contains(array) })
    }

    @Test("every kind of change keeps a chain of several programs, its counters and maps")
    func changes() throws {
        let bench = try ChainBench()
        try bench.load("counters", as: "first")
        let requests = try Self.requests(2, of: "maps40")
        try bench.edit { editor throws(XDPError) in try editor.load(requests) }
        var sent: UInt64 = 0
        func check(_ what: Comment) throws {
            try bench.send([Self.passing])
            sent += 1
            let names = ["first", "m0", "m1"]
            #expect(
                try eventually {
                    let counters = try bench.counters(seeing: 0)
                    return names.allSatisfy { counters[$0]?[.pass].packets == sent }
                }, what)
            let active = try bench.chain()
            #expect(try active.map(".bss", of: "first").number() == sent, what)
            #expect(active.manifest.segmentArray != 0, what)
            #expect(BPFPins.arrays().contains(active.manifest.segmentArray), what)
        }

        try check("loaded")
        try bench.edit { editor throws(XDPError) in try editor.move("m1", to: .first) }
        try check("moved")
        try bench.load("pass", at: .before("m0"))
        try check("one more")
        try bench.edit { editor throws(XDPError) in try editor.setEdges("pass", [.drop: .member("m0")]) }
        try check("an edge")
        let path = try Fixture.path("maps40")
        try bench.edit { editor throws(XDPError) in try editor.replace("m0", with: LoadRequest(path: path)) }
        try check("replaced")
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.bytes) }
        try bench.edit { editor throws(XDPError) in try editor.setFallback(.drop) }
        try check("fallback")
        try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }
        try check("one less")
    }
}
