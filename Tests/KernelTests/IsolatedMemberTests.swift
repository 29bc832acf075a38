// SPDX-License-Identifier: Apache-2.0
import BPF
import Packets
import TestSupport
import Testing
import XDP

/// Members with programs of their own, on a veth pair with real packets. Needs root.
@Suite("Isolated members on the kernel")
struct IsolatedMemberTests {
    private static let passing = ChainBench.packet(for: .pass)

    /// A chain in which a member has to leave the common program.
    struct Cause: CustomStringConvertible, Sendable {
        var fixtures: [String]
        var isolated: String
        var counters = CounterMode.bytes
        var says: String
        /// A function of the kernel.
        var needs: String?

        var description: String { "\(fixtures) \(counters)" }
    }

    static let causes = [
        Cause(fixtures: ["pass", "throw", "drop"], isolated: "throw", says: "bpf_throw", needs: "bpf_throw"),
        Cause(fixtures: ["throw"], isolated: "throw", says: "bpf_throw", needs: "bpf_throw"),
        Cause(
            fixtures: ["pass", "object_list", "drop"], isolated: "object_list", says: "the verifier says",
            needs: "bpf_obj_new_impl"),
        Cause(
            fixtures: ["object_list"], isolated: "object_list", says: "the verifier says",
            needs: "bpf_obj_new_impl"),
        Cause(
            fixtures: ["gpl_helper", "proprietary", "drop"], isolated: "proprietary",
            says: "its licence is \"Proprietary\""),
        Cause(
            fixtures: ["proprietary", "gpl_helper", "drop"], isolated: "proprietary",
            says: "its licence is \"Proprietary\""),
        Cause(fixtures: ["stack504", "pass", "drop"], isolated: "stack504", says: "504 bytes of stack"),
        Cause(fixtures: ["pass", "stack504", "drop"], isolated: "stack504", says: "504 bytes of stack"),
        Cause(
            fixtures: ["stack504", "tail_static", "drop"], isolated: "stack504", counters: .off,
            says: "504 bytes of stack"),
        Cause(
            fixtures: ["frames", "stack504", "drop"], isolated: "stack504", counters: .off,
            says: "504 bytes of stack"),
    ]

    @Test("who cannot share a program gets one, and it is said why", arguments: causes)
    func chosen(_ cause: Cause) throws {
        if let function = cause.needs, !(try KernelProbe.knows(function)) {
            try Test.cancel("this kernel has no \(function)")
        }
        let bench = try ChainBench()
        let requests = try cause.fixtures.map { name in
            var request = LoadRequest(path: try Fixture.path(name))
            if name == "proprietary" { request.edges[.drop] = .next }
            return request
        }
        let report = try bench.edit { editor throws(XDPError) in
            try editor.load(requests, counters: cause.counters)
        }

        let composition = try #require(report.chain[cause.isolated]).composition
        #expect(composition.mode == .isolated)
        #expect(composition.reason.contains(cause.says), "\(composition.reason)")
        #expect(
            report.notes.contains { $0.hasPrefix("\(cause.isolated) has a program of its own, +9 ns: ") },
            "\(report.notes)")
        #expect(report.chain.members.filter { $0.composition.mode == .isolated }.count == 1)
        let status = try bench.xdpctl("status", "near", "--json")
        #expect(status.status == 0)
        #expect(status.output.contains("\"isolated\""))
        let text = try bench.xdpctl("status", "near")
        #expect(text.output.contains("isolated"), "\(text)")

        guard cause.counters != .off else { return }
        try bench.send([Packet](repeating: Self.passing, count: 5))
        let counters = try bench.counters(seeing: 5)
        for name in cause.fixtures {
            #expect(counters[name]?.total.packets == 5, "\(name)")
            #expect(counters[name]?.missed.packets == 0)
        }
    }

    @Test("what an isolated member throws is its verdict, and the chain goes on")
    func thrown() throws {
        guard try KernelProbe.knows("bpf_throw") else {
            try Test.cancel("this kernel has no exceptions in BPF programs (Linux 6.7)")
        }
        let bench = try ChainBench()
        try bench.loadAll("throw", "pass", "drop")
        try bench.edit { editor throws(XDPError) in try editor.setEdges("throw", [.drop: .next]) }

        try bench.send([.ethernet().padded(to: 60), Self.passing])
        let counters = try bench.counters(seeing: 2)

        #expect(counters["throw"]?[.drop].packets == 1)
        #expect(counters["throw"]?[.pass].packets == 1)
        #expect(counters["drop"]?[.drop].packets == 2)
    }

    @Test(
        "isolated members count and are counted like others, wherever they stand",
        arguments: CounterMode.allCases,
        [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2], [2, 3], [0, 1, 2, 3]])
    func everywhere(mode: CounterMode, isolated: [Int]) throws {
        let bench = try ChainBench()
        let requests = try (0..<4).map { place in
            var request = LoadRequest(path: try Fixture.path(place == 3 ? "drop" : "counters"))
            request.name = "m\(place)"
            request.isIsolated = isolated.contains(place)
            return request
        }
        let report = try bench.edit { editor throws(XDPError) in try editor.load(requests, counters: mode) }
        for place in 0..<4 {
            let composition = try #require(report.chain["m\(place)"]).composition
            #expect(composition.mode == (isolated.contains(place) ? .isolated : .inline))
        }

        try bench.send([Packet](repeating: Self.passing, count: 7))

        let active = try bench.chain()
        #expect(try eventually { try active.map(".bss", of: "m2").number() == 7 })
        for name in ["m0", "m1", "m2"] {
            #expect(try active.map(".bss", of: name).number() == 7)
            #expect(try active.map("protocols", of: name).sum(at: 17) == 7)
        }
        guard mode != .off else { return }
        let counters = try bench.counters(seeing: 7)
        for name in ["m0", "m1", "m2", "m3"] {
            let verdict: Verdict = name == "m3" ? .drop : .pass
            #expect(counters[name]?[verdict] == Counter(packets: 7, bytes: mode == .bytes ? 420 : 0))
        }
    }

    @Test("an isolated member keeps program, maps and counters over the changes of others")
    func kept() throws {
        let bench = try ChainBench()
        try bench.load("counters", as: "it") { $0.isIsolated = true }
        let first = try bench.chain().member("it")
        var sent: UInt64 = 0
        func check(_ what: Comment) throws {
            try bench.send([Self.passing])
            sent += 1
            #expect(try eventually { try bench.chain().map(".bss", of: "it").number() == sent }, what)
            let now = try bench.chain().member("it")
            #expect(now.separate == first.separate, what)
            #expect(now.mapIDs == first.mapIDs, what)
            let active = try bench.chain()
            let place = try #require(active.manifest.chain.members.firstIndex { $0.name == "it" })
            #expect(try eventually { try active.counters()?[place].total.packets == sent }, what)
        }

        try check("alone")
        try bench.load("pass", at: .first)
        try check("behind another")
        try bench.load("drop", at: .last)
        try check("in the middle")
        try bench.edit { editor throws(XDPError) in try editor.move("it", to: .first) }
        try check("first")
        try bench.edit { editor throws(XDPError) in try editor.setEdges("it", [.pass: .member("drop")]) }
        try check("with an edge")
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.packets) }
        try check("counted otherwise")
        try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }
        try check("with one less")
    }

    @Test("a member that no packet reaches may have a program of its own, until one does")
    func unreachable() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", "drop")
        try bench.edit { editor throws(XDPError) in try editor.setEdges("pass", [.pass: .end]) }
        let report = try bench.load("counters", as: "it", at: .last) { $0.isIsolated = true }
        #expect(report.chain["it"]?.composition.mode == .unreachable)

        try bench.edit { editor throws(XDPError) in try editor.setEdges("pass", [.pass: .member("it")]) }
        try bench.send([Self.passing])

        #expect(try bench.chain().member("it").composition.mode == .isolated)
        #expect(try bench.counters(seeing: 1)["it"]?.total.packets == 1)
    }

    @Test("an isolated member may do tail calls of its own")
    func tailCalls() throws {
        let bench = try ChainBench()
        try bench.load("tail_static", as: "it") { $0.isIsolated = true }
        try bench.load("drop", at: .last)

        try bench.send([Self.passing, Self.passing])

        #expect(try bench.counters(seeing: 2)["drop"]?[.drop].packets == 2)
        #expect(try bench.chain().map(".bss", of: "it").number() == 2)
    }

    @Test("an array that somebody emptied is counted as missed, and filled by the next change")
    func emptied() throws {
        let bench = try ChainBench()
        try bench.load("counters", as: "it") { $0.isIsolated = true }
        let separate = try #require(try bench.chain().member("it").separate)
        try BPFMap(id: separate.arrayID).delete([0, 0, 0, 0])

        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 1)
        let missed = try bench.counters(seeing: 1)["it"]?.missed.packets
        try bench.load("drop", at: .last)
        try bench.send([Self.passing])
        let after = try bench.counters(seeing: 2)

        #expect(missed == 1)
        #expect(after["it"]?[.pass].packets == 1)
        #expect(after["drop"]?[.drop].packets == 1)
    }

    @Test("when members or all go, no program, array or pin of theirs stays", arguments: [false, true])
    func gone(all: Bool) throws {
        let bench = try ChainBench()
        try bench.load("pass")
        for name in ["a", "b"] { try bench.load("counters", as: name) { $0.isIsolated = true } }
        let members = try bench.chain().manifest.chain.members.compactMap(\.separate)
        let arrays = Set(members.map(\.arrayID))
        let programs = Set(members.map(\.programID))
        #expect(arrays.count == 2)
        #expect(arrays.isSubset(of: BPFPins.arrays()))

        try bench.edit { editor throws(XDPError) in try editor.unload(all ? nil : ["a", "b"]) }

        #expect(arrays.isDisjoint(with: BPFPins.arrays()))
        #expect(try eventually { try programs.isDisjoint(with: Set(KernelIDs.programs())) })
        #expect(try eventually { try arrays.isDisjoint(with: Set(KernelIDs.maps())) })
    }

    // MARK: Packets of several buffers

    @Test("isolated members follow a chain that changes its handling of several buffers")
    func frags() throws {
        guard try KernelProbe.knows("xdp_has_frags") else {
            try Test.cancel("this kernel does not know packets of several buffers (Linux 5.18)")
        }
        let bench = try ChainBench()
        try bench.load("frags", as: "it") { $0.isIsolated = true }
        try bench.load("frags", as: "other")
        let first = try #require(try bench.chain().member("it").separate)
        #expect(try bench.chain().manifest.supportsFrags)
        #expect(first.supportsFrags)
        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 1)

        try bench.load("pass", at: .last)
        let second = try #require(try bench.chain().member("it").separate)
        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 2)
        try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }
        let third = try #require(try bench.chain().member("it").separate)
        try bench.send([Self.passing])

        #expect(!second.supportsFrags && second.arrayID != first.arrayID)
        #expect(third.supportsFrags && third.arrayID != second.arrayID)
        #expect(try bench.counters(seeing: 3)["it"]?[.pass].packets == 3)
        #expect(try bench.counters(seeing: 3)["other"]?[.pass].packets == 3)
        #expect(BPFPins.arrays().isDisjoint(with: [first.arrayID, second.arrayID]))
    }

    @Test("a member whose own tail calls know several buffers keeps out who does not, isolated or not")
    func fragsTail() throws {
        guard try KernelProbe.knows("xdp_has_frags") else {
            try Test.cancel("this kernel does not know packets of several buffers (Linux 5.18)")
        }
        let bench = try ChainBench()
        try bench.load("frags_tail", as: "it") {
            $0.program = "frags_caller"
            $0.isIsolated = true
        }
        let program = try bench.chain().programID

        let error = bench.failure { try bench.load("pass") }
        try bench.send([Self.passing])

        let reason = "it does tail calls in a chain that handles packets"
        #expect(error?.why.contains(reason) == true, "\(error.debugText)")
        #expect(try bench.chain().programID == program)
        #expect(try bench.counters(seeing: 1)["it"]?[.pass].packets == 1)
    }
}
