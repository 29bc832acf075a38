// SPDX-License-Identifier: Apache-2.0
import Packets
import TestSupport
import Testing
import XDP

/// The 33 tail calls that a packet may do, on a veth pair with real packets. Needs root.
@Suite("Ladder: the budget of tail calls on the kernel")
struct LadderTailCallBudgetTests {
    private static let passing = ChainBench.packet(for: .pass)

    private static func isolated(_ count: Int) throws -> [LoadRequest] {
        try (0..<count).map { place in
            var request = LoadRequest(path: try Fixture.path("pass"))
            request.name = "m\(place)"
            request.isIsolated = true
            return request
        }
    }

    @Test("thirty-three isolated members run, and the thirty-fourth is refused with the names of all")
    func limit() throws {
        let bench = try ChainBench()
        let requests = try Self.isolated(33)
        try bench.edit { editor throws(XDPError) in try editor.load(requests) }
        try bench.send([Self.passing, Self.passing])
        let counters = try bench.counters(seeing: 2)
        let program = try bench.chain().programID

        let error = bench.failure { try bench.load("pass", as: "more") { $0.isIsolated = true } }

        #expect(counters.values.allSatisfy { $0[.pass].packets == 2 && $0.missed.packets == 0 })
        #expect(error?.kind == .refused)
        for name in (0..<33).map({ "m\($0)" }) + ["more"] {
            #expect(error?.why.contains(name) == true, "\(error.debugText)")
        }
        #expect(try bench.chain().programID == program)
        try bench.load("drop", as: "inline")
    }

    @Test(
        "what a member that loops by tail calls leaves no room for is counted, and gets the fallback verdict")
    func missed() throws {
        guard try KernelProbe.countsTailCallsOfFunctions() else {
            try Test.cancel("this kernel counts tail calls of functions for each function alone")
        }
        let bench = try ChainBench()
        try bench.load("tail_self", as: "greedy") { $0.isIsolated = true }
        try bench.load("counters", as: "it") { $0.isIsolated = true }
        try bench.load("drop", as: "last")

        try bench.send([Self.passing])
        let aborted = try bench.counters(seeing: 1)
        let switched = try bench.xdpctl("fallback", "near", "pass")
        try bench.send([Self.passing, Self.passing])
        let passed = try bench.counters(seeing: 3)

        #expect(aborted["greedy"]?[.pass].packets == 1)
        #expect(aborted["it"]?.missed.packets == 1)
        #expect(aborted["it"]?[.aborted].packets == 1)
        #expect(aborted["last"]?.total.packets == 0)
        #expect(switched.status == 0, "\(switched)")
        #expect(passed["it"]?.missed.packets == 3)
        #expect(passed["it"]?[.pass].packets == 2)
        #expect(passed["last"]?[.drop].packets == 2)
        #expect(try bench.chain().map(".bss", of: "it").number() == 0)
    }

    @Test("a segment that cannot be reached any more is counted for the member that it begins with")
    func missedSegment() throws {
        guard try KernelProbe.countsTailCallsOfFunctions() else {
            try Test.cancel("this kernel counts tail calls of functions for each function alone")
        }
        let bench = try ChainBench()
        try bench.load("tail_self", as: "greedy")
        for name in ["a", "b"] { try bench.load("maps40", as: name) }
        try bench.edit { editor throws(XDPError) in try editor.setFallback(.drop) }

        try bench.send([Self.passing, Self.passing])
        let counters = try bench.counters(seeing: 2)

        #expect(counters["a"]?[.pass].packets == 2)
        #expect(counters["b"]?.missed.packets == 2)
        #expect(counters["b"]?.total.packets == 0)
    }
}
