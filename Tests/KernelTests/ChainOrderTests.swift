// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import XDP

/// Order and edges: from metadata, from the user, over changes. Needs root.
@Suite("Order and edges of a chain on the kernel")
struct ChainOrderTests {
    @Test("metadata in the object gives the place and the edges")
    func metadata() throws {
        let bench = try ChainBench()
        try bench.load("pass")
        try bench.load("run_config")

        let active = try bench.chain()
        #expect(active.manifest.chain.members.map(\.name) == ["run_config", "pass"])
        #expect(try active.member("run_config").priority == 10)
        #expect(try active.member("run_config").edge(after: .drop) == .next)
        #expect(try active.member("run_config").edge(after: .tx) == .end)

        try bench.send([.ethernet().padded(to: 60)])
        let counters = try bench.counters(seeing: 1)
        #expect(counters["run_config"]?[.drop].packets == 1)
        #expect(counters["pass"]?[.pass].packets == 1)
    }

    @Test("what the user says overrides the metadata")
    func overridden() throws {
        let bench = try ChainBench()
        try bench.load("pass")
        try bench.load("run_config", at: .last) { $0.edges[.drop] = .end }

        #expect(try bench.memberNames() == ["pass", "run_config"])
        #expect(try bench.chain().member("run_config").edge(after: .drop) == .end)
    }

    @Test("several objects come in one change, in their order, and may lead to each other")
    func several() throws {
        let bench = try ChainBench()
        try bench.load("pass")
        let generation = try bench.chain().manifest.generation
        var first = LoadRequest(path: try Fixture.path("choose"))
        first.position = .first
        first.edges[.drop] = .member("counters")
        var second = LoadRequest(path: try Fixture.path("drop"))
        second.position = .after("choose")
        let third = LoadRequest(path: try Fixture.path("counters"))
        try bench.edit { [first, second] editor throws(XDPError) in try editor.load([first, second, third]) }

        #expect(try bench.memberNames() == ["choose", "drop", "pass", "counters"])
        #expect(try bench.chain().manifest.generation == generation + 1)
    }

    @Test("when one of several objects cannot be loaded, none is")
    func allOrNone() throws {
        let bench = try ChainBench()
        try bench.load("pass")
        let program = try bench.chain().programID
        let error = bench.failure { try bench.loadAll("counters", "rejected_bounds") }
        let duplicate = bench.failure { try bench.loadAll("drop", "drop") }

        #expect(error?.why.contains("rejected_bounds.c:10") == true)
        #expect(duplicate?.kind == .refused)
        #expect(try bench.chain().programID == program)
    }

    @Test("a member that others lead to is not taken away, unless with the edges")
    func ledTo() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass", "drop")
        try bench.edit { editor throws(XDPError) in
            try editor.setEdges("choose", [.tx: .member("drop"), .redirect: .member("drop")])
        }

        let refused = bench.failure {
            try bench.edit { editor throws(XDPError) in try editor.unload(["drop"]) }
        }
        try bench.edit { editor throws(XDPError) in try editor.unload(["drop"], droppingEdges: true) }

        #expect(refused?.kind == .refused)
        #expect(refused?.remedy?.contains("--drop-edges") == true)
        #expect(try bench.memberNames() == ["choose", "pass"])
        #expect(try bench.chain().member("choose").edges.isEmpty)
    }

    @Test("members that lead to each other go together")
    func together() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass", "drop")
        try bench.edit { editor throws(XDPError) in try editor.setEdges("choose", [.tx: .member("drop")]) }

        try bench.edit { editor throws(XDPError) in try editor.unload(["drop", "choose"]) }

        #expect(try bench.memberNames() == ["pass"])
    }

    @Test("a circle is refused and changes nothing")
    func circle() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let program = try bench.chain().programID

        let error = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.setEdges("pass", [.drop: .member("choose")])
            }
        }

        #expect(error?.kind == .refused)
        #expect(error?.why.contains("choose → pass → choose") == true)
        #expect(try bench.chain().programID == program)
    }

    @Test("a change that changes nothing swaps nothing")
    func unchanged() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let program = try bench.chain().programID

        let report = try bench.edit { editor throws(XDPError) in try editor.move("pass", to: .last) }

        #expect(report.outcome == .unchanged)
        #expect(try bench.chain().programID == program)
    }

    @Test("sixty-four members work, and each sees the packet")
    func many() throws {
        let bench = try ChainBench()
        let counting = try Fixture.path("counters")
        let plain = try Fixture.path("pass")
        let all = (0..<64).map { number in
            var request = LoadRequest(path: number < 10 ? counting : plain)
            request.name = "m\(number)"
            return request
        }
        try bench.edit { editor throws(XDPError) in try editor.load(all) }
        try bench.send([ChainBench.packet(for: .pass)])
        let counters = try bench.counters(seeing: 1)

        #expect(counters.count == 64)
        #expect(counters.values.allSatisfy { $0[.pass].packets == 1 })
        #expect(try bench.chain().map("protocols", of: "m9").sum(at: 17) == 1)
    }
}
