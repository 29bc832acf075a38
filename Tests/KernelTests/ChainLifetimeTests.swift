// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// What lives how long: tail calls after the loader is gone, and nothing after the last member. Needs root.
@Suite("The lifetime of chains on the kernel")
struct ChainLifetimeTests {
    /// Whether something exists that only an open by id can tell.
    private static func isGone(_ open: () throws(BPFError) -> Void) throws -> Bool {
        do throws(BPFError) {
            try open()
            return false
        } catch {
            if error.errno == .noSuchFileOrDirectory { return true }
            throw error
        }
    }

    @Test("the last member takes everything along: link, pin, program and maps")
    func nothingLeft() throws {
        let bench = try ChainBench()
        try bench.loadAll("counters", "replace_v1", "drop")
        let (link, program, maps) = try {
            let active = try bench.chain()
            return (try #require(active.linkID), active.programID, active.allMapIDs)
        }()
        let wasPinned = BPFPins.links().contains(link)

        try bench.edit { editor throws(XDPError) in try editor.unload(["counters", "replace_v1"]) }
        let report = try bench.edit { editor throws(XDPError) in try editor.unload(["drop"]) }

        #expect(wasPinned)
        #expect(report.outcome == .detached)
        #expect(!BPFPins.links().contains(link))
        #expect(try eventually { if try XDPLink.open(id: link) != nil { false } else { true } })
        #expect(try eventually { try Self.isGone { () throws(BPFError) in _ = try Program(id: program) } })
        for map in maps {
            #expect(
                try eventually { try Self.isGone { () throws(BPFError) in _ = try BPFMap(id: map) } },
                "map \(map)")
        }
        guard case .none = try bench.occupant() else {
            Issue.record("something still runs")
            return
        }
    }

    @Test("tail calls work after the loading process is gone, and over changes by others")
    func tailCalls() throws {
        let bench = try ChainBench(withTAP: true)
        let packet = Packet.ethernet().ipv4().udp().padded(to: 60)
        for fixture in ["tail_static", "tx"] {
            let result = try Subprocess.xdpctl(
                "load", "tap", Fixture.path(fixture), "--netns", bench.path)
            try #require(result.status == 0, "\(result)")
        }
        let arrays = try bench.chain("tap").member("tail_static").programArrayIDs
        let pinned = BPFPins.arrays().isSuperset(of: arrays)

        try bench.tap?.write(packet)
        let first = try bench.tap?.readAll()
        try bench.edit("tap") { editor throws(XDPError) in try editor.move("tail_static", to: .last) }
        try bench.edit("tap") { editor throws(XDPError) in try editor.move("tail_static", to: .first) }
        try bench.tap?.write(packet)
        let second = try bench.tap?.readAll()
        let called = try bench.chain("tap").map(".bss", of: "tail_static").number()
        try bench.edit("tap") { editor throws(XDPError) in try editor.unload(["tail_static"]) }

        #expect(!arrays.isEmpty && pinned)
        // An empty program array would drop.
        #expect(first == [packet.bytes])
        #expect(second == [packet.bytes])
        #expect(called == 2)
        #expect(BPFPins.arrays().isDisjoint(with: arrays))
    }

    @Test("the pins of program arrays go with the whole chain, too")
    func arraysWithChain() throws {
        let bench = try ChainBench()
        try bench.loadAll("tail_static", "tail_self")
        let arrays = try bench.chain().manifest.chain.members.flatMap(\.programArrayIDs)
        let pinned = BPFPins.arrays().isSuperset(of: arrays)

        try bench.edit { editor throws(XDPError) in try editor.unload(nil) }

        #expect(arrays.count == 2 && pinned)
        #expect(BPFPins.arrays().isDisjoint(with: arrays))
    }

    @Test("a member that calls itself shares the budget of thirty-three tail calls")
    func tailSelf() throws {
        let bench = try ChainBench()
        try bench.loadAll("tail_self", "pass")
        try bench.send([ChainBench.packet(for: .pass)])
        let counters = try bench.counters(seeing: 1)

        let runs = try bench.chain().map(".bss", of: "tail_self").number()
        #expect(runs == 34)
        #expect(counters["pass"]?[.pass].packets == 1)
    }

    @Test("a chain handles large packets when all its members do, and says when it stops to")
    func frags() throws {
        try KernelNeed.check("frags")
        let bench = try ChainBench(mtu: 9000)
        try bench.load("frags")
        let supported = try bench.chain().manifest.supportsFrags
        try bench.send([ChainBench.packet(for: .pass, length: 8000)])
        _ = try bench.counters(seeing: 1)
        let fragmented = try bench.chain().map(".bss", of: "frags").number(offset: 8)

        let error = bench.failure { try bench.load("pass") }

        #expect(supported)
        #expect(fragmented == 1)
        #expect(error?.why.contains("packets of several buffers") == true, "\(error.debugText)")
        #expect(try bench.memberNames() == ["frags"])
    }

    @Test("where packets are small a chain may lose the handling of large ones, with a note")
    func losesFrags() throws {
        try KernelNeed.check("frags")
        let bench = try ChainBench()
        try bench.load("frags")
        let report = try bench.loadAll("pass")
        let back = try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }

        #expect(report.checks.contains { $0.what.contains("because pass does not") }, "\(report.checks)")
        #expect(back.outcome == .changed)
        #expect(try bench.chain().manifest.supportsFrags)
    }

    @Test("what a program array was made for is not changed under it")
    func fragsTail() throws {
        try KernelNeed.check("frags", "frags_tail")
        let bench = try ChainBench()
        try bench.load("frags_tail")
        let program = try bench.chain().programID

        let error = bench.failure { try bench.load("pass") }
        try bench.load("frags")

        #expect(error?.kind == .refused)
        #expect(error?.why.contains("frags_tail does tail calls") == true, "\(error.debugText)")
        #expect(error?.why.contains("pass would change that") == true)
        #expect(try bench.memberNames() == ["frags_tail", "frags"])
        #expect(try bench.chain().programID != program)
    }
}
