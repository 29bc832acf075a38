// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Netlink
import Packets
import TestSupport
import Testing

@testable import XDP

/// Taps of chains on interfaces, and what becomes of them when the chain changes. Needs root.
@Suite("Taps of a capture in a chain")
struct CaptureTapTests {
    private static let packet = ChainBench.packet(for: .drop)

    /// Sends a packet through `tap`, on which it has run when this returns.
    private static func send(_ bench: ChainBench, _ packet: Packet = packet) throws {
        try bench.tap?.write(packet)
    }

    @Test("on an empty interface a chain is made, sees every packet, and goes with the last capture")
    func onNothing() throws {
        let bench = try ChainBench(withTAP: true)
        let (one, two) = (try KernelTap("capture-1"), try KernelTap("capture-2"))

        let started = try bench.start(one, on: "tap")
        try Self.send(bench)

        #expect(started.outcome == .attached && started.chain.loan == .made)
        #expect(started.chain.taps[0].points == [TapPoint(.start), TapPoint(.end)])
        #expect(started.notes.contains { $0.contains("nothing was attached to tap") })
        #expect(try bench.sights(one, on: "tap") == ["start", "end() pass"])
        #expect(try bench.chain("tap").manifest.supportsFrags == KernelFeatures.hasFrags())
        let link = try #require(try bench.chain("tap").linkID)
        #expect(BPFPins.links().contains(link))

        #expect(try bench.start(two, TapSelection(end: true), on: "tap").outcome == .changed)
        try Self.send(bench)
        #expect(try bench.sights(one, on: "tap") == ["start", "end() pass"])
        #expect(try bench.sights(two, on: "tap") == ["end() pass"])
        #expect(try bench.end(one, on: "tap").outcome == .changed)
        try Self.send(bench)
        #expect(try bench.sights(two, on: "tap") == ["end() pass"])
        #expect(try bench.end(one, on: "tap").outcome == .unchanged)

        #expect(try bench.end(two, on: "tap").outcome == .detached)

        guard case .none = try bench.occupant("tap") else { throw NoChain() }
        #expect(!BPFPins.links().contains(link))
        #expect(try bench.end(two, on: "tap").outcome == .unchanged)
    }

    @Test("on a chain it sees every point, and the chain is as before when it ends")
    func onChain() throws {
        let bench = try ChainBench(withTAP: true)
        let path = try Fixture.path("choose")
        try bench.edit("tap") { editor throws(XDPError) in
            var (first, second) = (LoadRequest(path: path), LoadRequest(path: path))
            first.name = "a"
            second.name = "b"
            first.edges = [.drop: .next]
            return try editor.load([first, second])
        }
        let before = try bench.chain("tap").manifest.chain
        let tap = try KernelTap("capture-1")

        let report = try bench.start(tap, on: "tap")
        for verdict in [Verdict.drop, .tx, .pass] { try Self.send(bench, ChainBench.packet(for: verdict)) }

        #expect(report.outcome == .changed && report.chain.loan == nil && report.notes.isEmpty)
        #expect(
            try bench.sights(tap, on: "tap") == [
                "start", "a:entry", "a:exit drop", "b:entry", "b:exit drop", "end(b) drop",
                "start", "a:entry", "a:exit tx", "end(a) tx",
                "start", "a:entry", "a:exit pass", "b:entry", "b:exit pass", "end(b) pass",
            ])
        #expect(try bench.chain("tap").counters()?.map(\.total.packets) == [3, 2])
        #expect(try bench.end(tap, on: "tap").outcome == .changed)
        #expect(try bench.chain("tap").manifest.chain == before)
    }

    @Test("a running capture stays through every change of the chain, and sees it")
    func staysThroughChanges() throws {
        let bench = try ChainBench(withTAP: true)
        let tap = try KernelTap("capture-1")
        try bench.start(tap, TapSelection(end: true, allExits: true), on: "tap")
        func sees(_ expected: String...) throws {
            try Self.send(bench)
            #expect(try bench.sights(tap, on: "tap") == expected)
        }
        @Sendable func request(_ fixture: String, _ name: String) throws -> LoadRequest {
            var request = LoadRequest(path: try Fixture.path(fixture))
            request.name = name
            return request
        }
        let (pass, choose) = (try request("pass", "a"), try request("choose", "b"))

        let joined = try bench.edit("tap") { editor throws(XDPError) in try editor.load([pass, choose]) }
        #expect(joined.chain.loan == nil && joined.chain.taps.count == 1)
        try sees("a:exit pass", "b:exit drop", "end(b) drop")
        try bench.edit("tap") { editor throws(XDPError) in try editor.move("b", to: .first) }
        try sees("b:exit drop", "end(b) drop")
        try bench.edit("tap") { editor throws(XDPError) in try editor.setEdges("b", [.drop: .member("a")]) }
        try sees("b:exit drop", "a:exit pass", "end(a) pass")
        try bench.edit("tap") { editor throws(XDPError) in try editor.setCounters(.off) }
        try sees("b:exit drop", "a:exit pass", "end(a) pass")
        let other = try request("drop", "a")
        try bench.edit("tap") { editor throws(XDPError) in try editor.replace("a", with: other) }
        try sees("b:exit drop", "a:exit drop", "end(a) drop")
        let left = try bench.edit("tap") { editor throws(XDPError) in try editor.unload(nil) }
        #expect(left.outcome == .changed && left.chain.members.isEmpty && left.chain.loan == .made)
        #expect(left.notes.contains { $0.contains("is there for capture-1") })
        try sees("end() pass")
        let again = bench.failure {
            try bench.edit("tap") { editor throws(XDPError) in try editor.unload(nil) }
        }
        #expect(again?.why.contains("nothing is loaded") == true)
        #expect(try bench.end(tap, on: "tap").outcome == .detached)
    }

    @Test("a filter that comes, changes and goes leaves a running capture alone, and is seen by it")
    func filter() throws {
        let bench = try ChainBench(withTAP: true)
        let directory = try TemporaryDirectory()
        let tap = try KernelTap("capture-1")
        try bench.start(tap, TapSelection(end: true), on: "tap")
        for (verdict, rule) in [("drop", "drop udp"), ("pass", "drop tcp")] {
            let file = try directory.write("\(verdict).xdp", "rules {\n  \(rule)\n  default pass\n}\n")

            let applied = try bench.xdpctl("filter", "apply", "tap", file, "--force")
            try Self.send(bench)

            #expect(applied.status == 0, "\(applied)")
            #expect(try bench.sights(tap, on: "tap") == ["end(filter) \(verdict)"])
        }
        let removed = try bench.xdpctl("filter", "remove", "tap")
        try Self.send(bench)

        #expect(removed.status == 0, "\(removed)")
        #expect(try bench.sights(tap, on: "tap") == ["end() pass"])
        #expect(try bench.end(tap, on: "tap").outcome == .detached)
    }

    @Test("a member with a program of its own is seen, also while that is exchanged")
    func isolated() throws {
        let bench = try ChainBench(withTAP: true)
        let path = try Fixture.path("choose")
        let other = try Fixture.path("drop")
        try bench.edit("tap") { editor throws(XDPError) in
            var request = LoadRequest(path: path)
            request.name = "own"
            request.isIsolated = true
            return try editor.load([request])
        }
        let tap = try KernelTap("capture-1")
        try bench.start(tap, on: "tap")
        try Self.send(bench, ChainBench.packet(for: .tx))
        #expect(try bench.sights(tap, on: "tap") == ["start", "own:entry", "own:exit tx", "end(own) tx"])

        let report = try bench.edit("tap") { editor throws(XDPError) in
            var request = LoadRequest(path: other)
            request.isIsolated = true
            return try editor.replace("own", with: request)
        }
        try Self.send(bench, ChainBench.packet(for: .tx))

        #expect(report.notes.contains { $0.contains("exchanged alone") })
        #expect(try bench.sights(tap, on: "tap") == ["start", "own:entry", "own:exit drop", "end(own) drop"])
        try bench.end(tap, on: "tap")
    }

    @Test(
        "names that no member has are refused with those there are, and so is a second one of the same name")
    func refusals() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")
        let tap = try KernelTap("capture-1")

        let unknown = bench.failure { try bench.start(tap, TapSelection(exits: ["ids"])) }
        try bench.start(tap, TapSelection(exits: ["pass"]))
        let twice = bench.failure { try bench.start(tap) }

        #expect(unknown?.kind == .refused && unknown?.why == "the chain has no member ids")
        #expect(unknown?.remedy == "It has pass")
        #expect(twice?.kind == .refused)
        #expect(try bench.taps().count == 1)
        try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }
        #expect(try bench.taps().first?.points == [TapPoint(.exit, member: "pass")])
        try bench.end(tap)
    }

    @Test("nobody captures for an owner that is gone")
    func withoutOwner() throws {
        let bench = try ChainBench()
        let tap = try KernelTap("capture-1", owner: 0x4000_0000)

        let error = bench.failure { try bench.start(tap) }

        #expect(error?.why.contains("nobody would read") == true)
        guard case .none = try bench.occupant() else { throw NoChain() }
    }

    @Test("code that changes packets, or takes too much stack, is no tap")
    func forbiddenCode() throws {
        let bench = try ChainBench()
        let tap = try KernelTap("capture-1")
        for helper in [12, 23, 44, 65, 190] as [Int32] {
            var other = tap.tap(.all)
            other.unit.instructions = [.call(helper: helper), .exit]
            let changed = other
            let error = bench.failure {
                try bench.edit { editor throws(XDPError) in
                    try editor.startTap(changed, resources: tap.maps, mode: .native)
                }
            }
            #expect(error?.why.contains("helper \(helper)") == true)
        }
        var deep = tap.tap(.all)
        deep.unit.instructions = [.storeImmediate(.doubleWord, 0, to: .r10, offset: -200), .exit]
        let other = deep
        let error = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.startTap(other, resources: tap.maps, mode: .native)
            }
        }
        #expect(error?.why.contains("200 bytes of stack") == true)
    }

    @Test("a member that left the chain's program to make room for a capture comes back when that ends")
    func makesRoom() throws {
        let bench = try ChainBench(withTAP: true)
        let path = try Fixture.path("stack504")
        try bench.edit("tap") { editor throws(XDPError) in
            try editor.load([LoadRequest(path: path)], counters: .off)
        }
        #expect(try bench.chain("tap").member("stack504").composition.mode == .inline)
        let (one, two) = (try KernelTap("capture-1"), try KernelTap("capture-2"))

        let report = try bench.start(one, on: "tap")
        try bench.start(two, on: "tap")
        try bench.end(two, on: "tap")
        try Self.send(bench)

        #expect(report.notes.contains { $0.contains("while packets are captured") }, "\(report.notes)")
        #expect(try bench.chain("tap").member("stack504").composition.mode == .isolated)
        #expect(
            try bench.sights(one, on: "tap") == [
                "start", "stack504:entry", "stack504:exit pass", "end(stack504) pass",
            ])
        try bench.end(one, on: "tap")
        let member = try bench.chain("tap").member("stack504")
        #expect(member.composition.mode == .inline && member.separate == nil)
    }

    /// A tap with so many branches behind each other: the verifier keeps 8192 of them for later (BPF_COMPLEXITY_LIMIT_JMP_SEQ).
    private static func complex(_ tap: KernelTap, _ selection: TapSelection, branches: Int32) throws -> Tap {
        var result = tap.tap(selection)
        var code = Assembler()
        let end = code.label()
        code.append(.load(.word, .r1, from: .r1, offset: 16))
        for number in 0..<branches { code.jump(.equal, .r1, number, to: end) }
        code.place(end)
        code.append([.move(.r0, 0), .exit])
        result.unit.instructions = try code.assemble(longJumps: false).instructions
        return result
    }

    @Test("a chain that was cut for a capture is one program again when that ends")
    func isCut() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", "drop")
        let tap = try KernelTap("capture-1")
        let complex = try Self.complex(tap, TapSelection(allExits: true), branches: 4500)

        let report = try bench.edit { editor throws(XDPError) in
            try editor.startTap(complex, resources: tap.maps, mode: .native)
        }

        #expect(report.chain.members.map(\.composition.segment) == [0, 1])
        #expect(report.notes.contains { $0.hasPrefix("the chain is 2 programs") }, "\(report.notes)")
        try bench.end(tap)
        let manifest = try bench.chain().manifest
        #expect(manifest.chain.members.map(\.composition.segment) == [0, 0] && manifest.segmentArray == 0)
    }

    @Test("a capture that is too much for the verifier is refused, and the chain stays as it was")
    func tooMuch() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")
        let before = try bench.hook()
        let tap = try KernelTap("capture-1")
        let complex = try Self.complex(tap, .all, branches: 8200)

        let error = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.startTap(complex, resources: tap.maps, mode: .native)
            }
        }

        #expect(error?.kind == .refused && error?.remedy?.contains("--at") == true, "\(error.debugText)")
        #expect(error?.what.contains("with its captures") == true, "\(error.debugText)")
        #expect(try bench.hook() == before)
        #expect(try bench.chain().member("pass").composition.mode == .inline)
    }

    @Test("where the driver has no native mode the error says what to do, and generic mode does it")
    func withoutNative() throws {
        let bench = try ChainBench()
        try bench.namespace.run {
            var route = try RouteSocket()
            try route.setUp(try route.link(named: "lo").index)
        }
        let tap = try KernelTap("capture-1")

        let error = bench.failure { try bench.start(tap, on: "lo") }
        let report = try bench.start(tap, on: "lo", mode: .auto)

        #expect(
            error?.kind == .refused && error?.remedy?.contains("--mode generic") == true, "\(error.debugText)"
        )
        #expect(report.mode == .generic && report.fellBack)
        let joined = try bench.edit("lo") { [path = try Fixture.path("pass")] editor throws(XDPError) in
            try editor.load([LoadRequest(path: path)])
        }
        #expect(joined.notes.contains { $0.contains("generic mode") })
        #expect(try bench.end(tap, on: "lo").outcome == .changed)
    }

    @Test("captures that start and end at once, in any order, all see packets and leave nothing behind")
    func atOnce() async throws {
        let bench = try ChainBench()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    for round in 0..<6 {
                        let tap = try KernelTap("capture-\(number)-\(round)")
                        try bench.start(tap)
                        #expect(try bench.taps().contains { $0.name == tap.name })
                        if round % 2 == number % 2 { try bench.send([Self.packet]) }
                        try bench.end(tap)
                        #expect(try !bench.taps().contains { $0.name == tap.name })
                    }
                }
            }
            try await group.waitForAll()
        }
        guard case .none = try bench.occupant() else { throw NoChain() }
    }
}
