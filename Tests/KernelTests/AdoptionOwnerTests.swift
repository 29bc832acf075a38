// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// What the owner of an adopted program does later. Needs root and iproute2.
@Suite("Adoption, and what the owner does then")
struct AdoptionOwnerTests {
    private func pin(_ link: UInt32) -> String { "\(BPFPins.directory)/link-\(link)" }

    /// The state that status prints, with its text.
    private func status(_ bench: ChainBench) throws -> (state: String, program: UInt32?, text: String) {
        let json = try bench.xdpctl("status", "near", "--json")
        let text = try bench.xdpctl("status", "near")
        #expect(json.status == 0 && text.status == 0, "\(json)\(text)")
        let report = try JSONDecoder().decode(PrintedStatus.self, from: Data(json.output.utf8))
        let interface = try #require(report.interfaces.first)
        return (interface.state, interface.chain?.program_id ?? interface.program?.id, text.output)
    }

    @Test("it ends: the chain and the program stay", arguments: [ForeignLoader.Way.skeleton, .raw, .netlink])
    func ends(_ way: ForeignLoader.Way) throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "counters", by: way)
        _ = try bench.adopt()

        owner.end()
        try bench.send([ChainBench.packet(for: .pass)])

        #expect(try bench.counters(seeing: 1)["foreign"]?[.pass].packets == 1)
        let found = try status(bench)
        #expect(found.state == "chain" && found.text.contains("foreign"))
        #expect(owner.linkID == 0 || BPFPins.links().contains(owner.linkID))
    }

    @Test("it has ended when the program is released: the pin stays, the program too, and it is said")
    func releasedAfterTheEnd() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "counters")
        let before = try bench.hook()
        _ = try bench.adopt()
        owner.end()

        let report = try bench.release()
        defer { try? BPFFileSystem.unpin(pin(owner.linkID)) }

        #expect(try bench.hook() == before)
        #expect(BPFPins.links().contains(owner.linkID))
        #expect(report.notes.contains { $0.contains("so it stays pinned at \(pin(owner.linkID))") })
        let found = try status(bench)
        #expect(found.state == "foreign" && found.program == owner.programID)
        try BPFFileSystem.unpin(pin(owner.linkID))
        #expect(try eventually { try bench.hook() == Hook() })
    }

    @Test(
        "it lives, or pinned its link, when the program is released: our pin goes", arguments: [true, false])
    func releasedBefore(_ hasPinned: Bool) throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "counters", by: .raw)
        let own = "/sys/fs/bpf/adoption-test-\(owner.linkID)"
        defer { try? BPFFileSystem.unpin(own) }
        if hasPinned {
            #expect(owner.tell("pin", own) == "ok \(owner.programID)")
            owner.end()
        }
        let before = try bench.hook()
        _ = try bench.adopt()
        #expect(BPFPins.links().contains(owner.linkID))

        let report = try bench.release()

        #expect(!BPFPins.links().contains(owner.linkID))
        #expect(report.notes.isEmpty, "\(report.notes)")
        #expect(try bench.hook() == before)
    }

    @Test("who looks at links for a moment is nobody who holds them")
    func passers() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let before = try bench.hook()
        _ = try bench.adopt()
        owner.end()
        let command = try Subprocess.binary("xdpctl")
        let lookers = try (0..<2).map { _ in
            try Subprocess(
                "sh", ["-c", "for i in $(seq 8); do '\(command)' status --netns '\(bench.path)'; done"])
        }

        try bench.release()
        for looker in lookers { _ = try looker.wait(seconds: 240) }
        defer { try? BPFFileSystem.unpin(pin(owner.linkID)) }

        #expect(try bench.hook() == before)
    }

    @Test("a process that may not be looked into is no reason to let the program go")
    func hidden() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let before = try bench.hook()
        _ = try bench.adopt()
        owner.end()
        defer { try? BPFFileSystem.unpin(pin(owner.linkID)) }
        let stranger = try Subprocess("setpriv", ["--reuid=65534", "--clear-groups", "sleep", "20"])
        defer {
            kill(stranger.processID, SIGKILL)
            _ = try? stranger.wait()
        }
        usleep(200_000)

        let result = try Subprocess.run(
            "nsenter",
            [
                "--net=\(bench.path)", "setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps",
                "-sys_ptrace",
                Subprocess.binary("xdpctl"), "release", "near", "foreign",
            ])

        #expect(result.status == 0, "\(result)")
        #expect(try bench.hook() == before)
        #expect(BPFPins.links().contains(owner.linkID))
        #expect(result.output.contains("stays pinned"), "\(result)")
    }

    @Test("it updates its link: its new program has the chain's place, and can be adopted")
    func updates() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        _ = try bench.adopt()
        try bench.load("counters", as: "mine")

        let new = try owner.update(to: "drop")

        #expect(try bench.hook() == Hook(program: new, mode: .native, link: owner.linkID))
        let found = try status(bench)
        #expect(found.state == "foreign" && found.program == new)
        let load = bench.failure { try bench.load("pass") }
        #expect(load?.kind == .refused && load?.remedy?.contains("xdpctl adopt near") == true)
        let report = try bench.adopt(as: "again")
        #expect(report.outcome == .adopted)
        #expect(try bench.memberNames() == ["again"])
        let generation = try bench.chain().manifest.generation
        #expect(generation == 1)
        try bench.release("near", "again")
        #expect(try bench.hook() == Hook(program: new, mode: .native, link: owner.linkID))
        #expect(!BPFPins.links().contains(owner.linkID))
    }

    @Test("it detaches its link: the hook is empty, and a chain can be loaded")
    func detaches() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        _ = try bench.adopt()

        #expect(owner.tell("detach").hasPrefix("ok"))

        #expect(try bench.hook() == Hook())
        #expect(try status(bench).state == "empty" || status(bench).state == "none")
        try bench.load("pass")
        #expect(try bench.memberNames() == ["pass"])
        #expect(!BPFPins.links().contains(owner.linkID))
    }

    @Test("it updates by netlink with the program that it knows: refused, the chain stays")
    func updatesByNetlink() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass", by: .netlink)
        _ = try bench.adopt()
        let during = try bench.hook()

        #expect(owner.tell("update", try Fixture.path("drop")) == "error \(EEXIST)")
        #expect(owner.tell("replace") == "error \(EEXIST)")

        #expect(try bench.hook() == during)
        #expect(try bench.memberNames() == ["foreign"])
    }

    @Test("it takes its program off by netlink: the chain goes with it")
    func takesOff() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass", by: .netlink)
        _ = try bench.adopt()
        try bench.load("counters", as: "mine")

        #expect(owner.tell("detach").hasPrefix("ok"))

        #expect(try bench.hook() == Hook())
        try bench.load("pass")
        #expect(try bench.memberNames() == ["pass"])
    }

    @Test("netlink does nothing to a chain that a link holds")
    func netlinkAgainstLink() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        _ = try bench.adopt()
        let during = try bench.hook()

        let off = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", "ip", "link", "set", "dev", "near", "xdp", "off"])
        let replace = owner.tell("replace")

        #expect(off.status != 0 && replace == "error \(EBUSY)")
        #expect(try bench.hook() == during)
    }
}
