// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import Packets
import TestSupport
import Testing

@testable import XDP

/// Chains that are only there for captures, and captures whose process is gone. Needs root.
@Suite("Captures on programs of others, and after their end")
struct CaptureLoanTests {
    @Test(
        "a program of somebody else is a member for the time of the capture, and given back as it was",
        arguments: ForeignLoader.Way.allCases.filter { $0 != .bound })
    func foreign(_ way: ForeignLoader.Way) throws {
        let bench = try ChainBench(withTAP: true)
        let owner = try ForeignLoader(bench, "choose", on: "tap", by: way)
        let before = try bench.hook("tap")
        let (one, two) = (try KernelTap("capture-1"), try KernelTap("capture-2"))

        let report = try bench.start(one, on: "tap")
        try bench.start(two, TapSelection(end: true), on: "tap")
        try bench.tap?.write(ChainBench.packet(for: .tx))

        let name = try #require(report.chain.members.first?.name)
        #expect(report.outcome == .adopted && report.chain.loan == .adopted(name))
        #expect(report.notes.contains { $0.contains("program \(owner.programID)") })
        #expect(
            try bench.sights(one, on: "tap") == [
                "start", "\(name):entry", "\(name):exit tx", "end(\(name)) tx",
            ])
        #expect(try bench.sights(two, on: "tap") == ["end(\(name)) tx"])
        #expect(try bench.tap?.readAll() == [ChainBench.packet(for: .tx).bytes])
        #expect(try bench.end(two, on: "tap").outcome == .changed)
        #expect(try bench.end(one, on: "tap").outcome == .released)
        #expect(try bench.hook("tap") == before)
        #expect(!BPFPins.links().contains(owner.linkID))
        withExtendedLifetime(owner) {}
    }

    @Test("who joins an adopted program makes it stay, and the capture ends without giving it back")
    func joined() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let tap = try KernelTap("capture-1")
        try bench.start(tap)

        let report = try bench.loadAll("drop")

        #expect(report.chain.loan == nil && report.chain.members.count == 2 && report.chain.taps.count == 1)
        #expect(report.notes.contains { $0.contains("stays a member") })
        #expect(try bench.end(tap).outcome == .changed)
        #expect(try bench.memberNames().count == 2)
        withExtendedLifetime(owner) {}
    }

    @Test("a program that is adopted for good during a capture stays, under the name that was asked for")
    func adoptedForGood() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let tap = try KernelTap("capture-1")
        try bench.start(tap)

        try bench.edit { editor throws(XDPError) in try editor.adopt(name: "theirs") }

        #expect(try bench.chain().manifest.chain.loan == nil)
        #expect(try bench.taps().count == 1)
        #expect(try bench.end(tap).outcome == .changed)
        #expect(try bench.memberNames() == ["theirs"])
        try bench.edit { editor throws(XDPError) in try editor.release("theirs") }
        #expect(try bench.hook().program == owner.programID)
    }

    @Test("a program that is released ends the captures, with a note; one that is unloaded by name does not")
    func releasedAndUnloaded() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let before = try bench.hook()
        let tap = try KernelTap("capture-1")
        let name = try #require(try bench.start(tap).chain.members.first?.name)

        let released = try bench.edit { editor throws(XDPError) in try editor.release(name) }
        #expect(released.notes.contains("capture-1 ended with the chain"))
        #expect(try bench.hook() == before)
        #expect(try bench.end(tap).outcome == .unchanged)

        try bench.start(tap)
        let all = bench.failure { try bench.edit { editor throws(XDPError) in try editor.unload(nil) } }
        #expect(all?.kind == .refused && all?.why.contains("for captures only") == true, "\(all.debugText)")
        #expect(try bench.memberNames() == [name])
        let unloaded = try bench.edit { editor throws(XDPError) in try editor.unload([name]) }
        #expect(unloaded.chain.loan == .made && unloaded.chain.taps.count == 1)
        #expect(try bench.end(tap).outcome == .detached)
        withExtendedLifetime(owner) {}
    }

    @Test("the next change cleans up after a process that is gone, and does what it was to do")
    func deadOwner() throws {
        let bench = try ChainBench()
        let (dead, alive) = (try KernelTap("capture-1"), try KernelTap("capture-2"))
        try bench.loadAll("choose")
        try bench.start(dead)
        try bench.start(alive)
        try dead.setOwner(0x4000_0000)

        try bench.send([ChainBench.packet(for: .pass)])
        _ = try bench.counters(seeing: 1)
        #expect(try bench.sights(dead).isEmpty)
        #expect(try bench.sights(alive).count == 4)
        try bench.load("pass", as: "b")

        #expect(try bench.taps().map(\.name) == ["capture-2"])
        try alive.setOwner(0)
        try bench.edit { editor throws(XDPError) in try editor.setFallback(.pass) }
        #expect(try bench.taps().isEmpty && bench.memberNames() == ["choose", "b"])
    }

    @Test("an empty chain that nobody reads is no obstacle, and is swept by who only looks")
    func deadOnNothing() throws {
        let bench = try ChainBench()
        let tap = try KernelTap("capture-1")
        try bench.start(tap)
        try tap.setOwner(0)
        let nothing = bench.failure {
            try bench.edit { editor throws(XDPError) in try editor.unload(nil) }
        }
        #expect(nothing?.why.contains("nothing is loaded") == true)
        guard case .none = try bench.occupant() else { throw NoChain() }

        for mode in [ModeRequest.native, .generic] {
            try tap.setOwner(1)
            try bench.start(tap, mode: .native)
            try tap.setOwner(0)
            let report = try bench.loadAll("pass", mode: mode)
            #expect(report.outcome == .attached && report.mode.rawValue == mode.rawValue)
            try bench.edit { editor throws(XDPError) in try editor.unload(nil) }
        }
        try tap.setOwner(1)
        try bench.start(tap)
        #expect(try bench.edit { editor throws(XDPError) in try editor.sweepTaps()?.outcome } == nil)
        try tap.setOwner(0)
        #expect(try bench.edit { editor throws(XDPError) in try editor.sweepTaps()?.outcome } == .detached)
        #expect(try bench.edit { editor throws(XDPError) in try editor.sweepTaps()?.outcome } == nil)
    }

    @Test("a program of somebody else is given back before anything else happens, once nobody captures")
    func deadOnForeign() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let before = try bench.hook()
        let tap = try KernelTap("capture-1")
        try bench.start(tap)
        try tap.setOwner(0)

        let error = bench.failure { try bench.loadAll("drop") }

        #expect(error?.why.contains("which xdpctl did not load") == true)
        #expect(try bench.hook() == before)
        try tap.setOwner(1)
        try bench.start(tap)
        try tap.setOwner(0)
        let next = try KernelTap("capture-2")
        #expect(try bench.start(next).chain.taps.map(\.name) == ["capture-2"])
        #expect(try bench.end(next).outcome == .released)
        #expect(try bench.hook() == before)
        withExtendedLifetime(owner) {}
    }

    @Test("files do not see captures: what is lent counts as nothing, and as somebody else's program")
    func files() throws {
        let bench = try ChainBench()
        let tap = try KernelTap("capture-1")
        try bench.start(tap)
        guard case .none = try bench.occupant().withoutLoan else { throw NoChain() }
        let text = """
            version: 1
            interfaces:
              near:
                members:
                  - { name: a, object: "\(try Fixture.path("pass"))" }

            """
        let file = try TemporaryFile(
            Array(text.utf8), name: "\(bench.namespace.identity.inode)-taps.yaml")
        #expect(try bench.xdpctl("export", "near").output.contains("members: []"))

        let applied = try bench.xdpctl("apply", file.path)

        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.memberNames() == ["a"] && bench.taps().map(\.name) == ["capture-1"])
        let exported = try bench.xdpctl("export", "near").output
        #expect(exported.contains("name: a") && !exported.contains("capture-1"))
        let again = try bench.xdpctl("apply", file.path, "--json")
        #expect(again.status == 0 && again.output.contains("\"swaps\" : 0"), "\(again)")
        try bench.end(tap)

        let other = try ChainBench()
        let owner = try ForeignLoader(other, "pass")
        try other.start(tap)
        let refused = try other.xdpctl("apply", file.path)
        #expect(refused.status == 3 && refused.errors.contains("adopted: true"), "\(refused)")
        #expect(try other.taps().count == 1)

        // Once nobody captures the program counts as its owner's, who may let it be adopted for good.
        try tap.setOwner(0)
        let rules = try TemporaryFile(
            Array("rules {\n  default pass\n}\n".utf8), name: "\(bench.namespace.identity.inode)-taps.xdp")
        let filter = try other.xdpctl("filter", "apply", "near", rules.path, "--dry-run")
        #expect(filter.status == 3 && filter.errors.contains("which xdpctl did not load"), "\(filter)")
        let described = text.replacing("object: \"\(try Fixture.path("pass"))\"", with: "adopted: true")
        let adopting = try TemporaryFile(
            Array(described.utf8), name: "\(bench.namespace.identity.inode)-adopting.yaml")
        #expect(try other.xdpctl("apply", "--dry-run", adopting.path).status == 0)
        #expect(try other.taps().count == 1)
        let adopted = try other.xdpctl("apply", adopting.path)
        #expect(adopted.status == 0, "\(adopted)")
        #expect(try other.memberNames() == ["a"] && other.chain().manifest.chain.loan == nil)
        try other.edit { editor throws(XDPError) in try editor.release("a") }
        #expect(try other.hook().program == owner.programID)
    }

    @Test("a program that is lent and gone is no obstacle for those who come later")
    func emptied() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let tap = try KernelTap("capture-1")
        let lent = try #require(try bench.start(tap).chain.members.first?.separate)
        try BPFFileSystem.unpin("\(BPFPins.directory)/array-\(lent.arrayID)")
        #expect(try eventually { try bench.chain().manifest.chain.members.first?.separate?.programID == 0 })
        try tap.setOwner(0)

        let report = try bench.edit { editor throws(XDPError) in try editor.sweepTaps() }

        #expect(report?.outcome == .detached)
        #expect(report?.notes.contains { $0.contains("cannot be given back") } == true)
        guard case .none = try bench.occupant() else { throw NoChain() }
        withExtendedLifetime(owner) {}
    }

    @Test("status shows captures, and sweeps those whose process is gone")
    func status() throws {
        let bench = try ChainBench()
        let tap = try KernelTap("capture-1")
        try bench.start(tap)

        let made = try bench.xdpctl("status", "near")
        let json = try bench.xdpctl("status", "near", "--json")
        try bench.loadAll("choose")
        let loaded = try bench.xdpctl("status", "near")
        let member = try bench.xdpctl("status", "near", "--json")

        #expect(made.output.contains("capture-1: tcp port 443, at start, end, for process 4711"), "\(made)")
        #expect(made.output.contains("goes with the last"))
        #expect(
            json.output.contains("\"loan\" : \"made\"") && json.output.contains("\"alive\" : true"), "\(json)"
        )
        #expect(loaded.output.contains("choose:entry, choose:exit"), "\(loaded)")
        #expect(!loaded.output.contains("the last") && !member.output.contains("\"loan\""))
        #expect((made.output + loaded.output).split(separator: "\n").allSatisfy { $0.count <= 80 })
        try tap.setOwner(0)
        #expect(!(try bench.xdpctl("status", "near").output.contains("capture-1")))
        #expect(try bench.taps().isEmpty)
    }
}
