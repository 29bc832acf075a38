// SPDX-License-Identifier: Apache-2.0
import Packets
import TestSupport
import Testing
import XDP

/// Verdict counters on a veth pair, with real packets. Needs root.
@Suite("Verdict counters on the kernel")
struct ChainCounterTests {
    /// One packet more for each verdict, of a length of its own.
    private static let mixture: [(verdict: Verdict, count: Int, length: Int)] = [
        (.aborted, 1, 60), (.drop, 2, 70), (.pass, 3, 80),
    ]

    private static func sendMixture(_ bench: ChainBench) throws {
        for (verdict, count, length) in mixture {
            let packet = ChainBench.packet(for: verdict, length: length)
            try bench.send([Packet](repeating: packet, count: count))
        }
    }

    private static func expect(
        _ counters: MemberCounters?, rounds: UInt64, _ comment: Comment,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (verdict, count, length) in mixture {
            let packets = UInt64(count) * rounds
            #expect(
                counters?[verdict] == Counter(packets: packets, bytes: packets * UInt64(length)), comment,
                sourceLocation: sourceLocation)
        }
        #expect(counters?.total.packets == 6 * rounds, comment, sourceLocation: sourceLocation)
    }

    @Test("packets and bytes are counted for every member and verdict, exactly")
    func exact() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")

        try Self.sendMixture(bench)
        try bench.send([.ethernet(to: "02:00:00:00:00:07").padded(to: 60)])
        let counters = try bench.counters(seeing: 7)

        #expect(counters["choose"]?[.drop] == Counter(packets: 2, bytes: 140))
        #expect(counters["choose"]?[.aborted] == Counter(packets: 1, bytes: 60))
        #expect(counters["choose"]?[.pass] == Counter(packets: 3, bytes: 240))
        #expect(counters["choose"]?.unknown == Counter(packets: 1, bytes: 60))
        #expect(counters["pass"]?[.pass] == Counter(packets: 3, bytes: 240))
        #expect(counters["pass"]?.total.packets == 3)
    }

    @Test("counters are kept over every kind of change")
    func kept() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        var rounds: UInt64 = 0
        func check(_ what: Comment) throws {
            try Self.sendMixture(bench)
            rounds += 1
            Self.expect(try bench.counters(seeing: 6 * rounds)["choose"], rounds: rounds, what)
        }

        try check("freshly loaded")
        try bench.load("flow_table")
        try check("after a load")
        try bench.edit { editor throws(XDPError) in try editor.move("flow_table", to: .before("pass")) }
        try check("after a move")
        try bench.edit { editor throws(XDPError) in
            try editor.setEdges("choose", [.drop: .member("pass")])
        }
        try check("after a change of an edge")
        let copy = try TemporaryFile(copying: Fixture.path("choose"))
        try bench.edit { editor throws(XDPError) in
            try editor.replace("choose", with: LoadRequest(path: copy.path))
        }
        try check("after a replacement")
        try bench.edit { editor throws(XDPError) in try editor.unload(["flow_table"]) }
        try check("after an unload")
        #expect(try bench.chain().manifest.generation == 6)
    }

    @Test("a member that takes over a freed place starts at zero")
    func freedPlace() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        try bench.send([Packet](repeating: ChainBench.packet(for: .pass), count: 5))
        let before = try bench.counters(seeing: 5)
        let place = try bench.chain().member("pass").counterSlot

        try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }
        try bench.load("pass", as: "newcomer")
        let fresh = try bench.counters(seeing: 5)
        try bench.send([Packet](repeating: ChainBench.packet(for: .pass), count: 2))
        let later = try bench.counters(seeing: 7)

        #expect(before["pass"]?[.pass].packets == 5)
        #expect(try bench.chain().member("newcomer").counterSlot == place)
        #expect(fresh["newcomer"]?.total == Counter())
        #expect(later["newcomer"]?[.pass] == Counter(packets: 2, bytes: 120))
        #expect(later["choose"]?[.pass].packets == 7)
    }

    @Test("counting can be packets only, or off, and comes back")
    func modes() throws {
        let bench = try ChainBench()
        try bench.load("choose")

        try bench.edit { editor throws(XDPError) in try editor.setCounters(.packets) }
        try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 4))
        let packetsOnly = try bench.counters(seeing: 4)["choose"]?[.drop]
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.off) }
        let off = try bench.chain().counters()
        try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 3))
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.bytes) }
        try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 2))
        let back = try bench.counters(seeing: 6)["choose"]?[.drop]

        #expect(packetsOnly == Counter(packets: 4, bytes: 0))
        #expect(off == nil)
        #expect(back == Counter(packets: 6, bytes: 120))
    }

    @Test("seventy members count on two pages")
    func pages() throws {
        let bench = try ChainBench()
        let path = try bench.load("pass", as: "m0").chain.members[0].origin
        let requests = (1..<70).map { number in
            var request = LoadRequest(path: path)
            request.name = "m\(number)"
            return request
        }
        try bench.edit { editor throws(XDPError) in try editor.load(requests) }

        try bench.send([Packet](repeating: ChainBench.packet(for: .pass), count: 3))
        let counters = try bench.counters(seeing: 3)

        #expect(try bench.chain().manifest.counterPages.count == 2)
        #expect(counters.count == 70)
        #expect(counters.values.allSatisfy { $0[.pass] == Counter(packets: 3, bytes: 180) })
    }
}
