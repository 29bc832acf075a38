// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// Adoption while others do something at the same time. Needs root.
@Suite("Adoption in races")
struct AdoptionRaceTests {
    @Test(
        "of two that adopt at once one does, the other is refused, and the link is pinned",
        arguments: [true, false])
    func two(_ byLink: Bool) throws {
        let binary = try Subprocess.binary("xdpctl")
        for round in 0..<15 {
            let bench = try ChainBench()
            let owner = try ForeignLoader(bench, "pass", by: byLink ? .raw : .netlink)
            let before = try bench.hook()

            let processes = try (0..<2).map { number in
                try Subprocess(binary, ["adopt", "near", "--name", "m\(number)", "--netns", bench.path])
            }
            let results = try processes.map { try $0.wait() }

            #expect(results.map(\.status).sorted() == [0, 3], "round \(round): \(results)")
            let winner = try #require(results.firstIndex { $0.status == 0 })
            #expect(try bench.memberNames() == ["m\(winner)"], "round \(round)")
            if byLink { #expect(BPFPins.links().contains(owner.linkID), "round \(round)") }
            try bench.release("near", "m\(winner)")
            #expect(try bench.hook() == before, "round \(round)")
            #expect(!BPFPins.links().contains(owner.linkID), "round \(round)")
        }
    }

    @Test("while the owner updates without a pause, either its program or a chain of it has the hook")
    func updates() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let path = try Fixture.path("drop")
        var adopted = 0
        for round in 0..<8 {
            let editing = try Subprocess(
                Subprocess.binary("xdpctl"), ["adopt", "near", "--name", "m", "--netns", bench.path])
            let answer = owner.tell("churn", "60", path)
            let result = try editing.wait()

            #expect(answer.hasPrefix("ok"))
            // Refused where a chain was seen at another look; here only this one adopts.
            #expect(result.status == 0, "round \(round): \(result)")
            switch try bench.occupant() {
            case .chain(let active):
                adopted += 1
                #expect(active.manifest.chain.members.map(\.name) == ["m"])
                #expect(BPFPins.links().contains(owner.linkID))
                try bench.release("near", "m")
            case .foreign(let program): #expect(program.linkID == owner.linkID)
            default: Issue.record("round \(round): nothing runs")
            }
        }
        #expect(try bench.hook().link == owner.linkID)
        #expect(adopted >= 0)
        // The owner may have overtaken a chain; the pin of that goes with the next adoption's release.
        _ = try bench.adopt()
        try bench.release()
        #expect(!BPFPins.links().contains(owner.linkID))
    }

    @Test("while the interface is deleted, the answer is an error or a chain that is gone with it")
    func deleted() throws {
        for round in 0..<12 {
            let bench = try ChainBench()
            let owner = try ForeignLoader(bench, "pass", by: round % 2 == 0 ? .raw : .netlink)
            let editing = try Subprocess(
                Subprocess.binary("xdpctl"), ["adopt", "near", "--netns", bench.path])
            usleep(UInt32.random(in: 0..<30_000))
            var route = try RouteSocket(in: bench.namespace)
            try route.deleteLink(bench.index)
            let result = try editing.wait()

            #expect([0, 1, 3].contains(result.status), "round \(round): \(result)")
            #expect(result.status == 0 || result.errors.contains("near"), "\(result)")
            try Self.sweep()
            #expect(owner.linkID == 0 || !BPFPins.links().contains(owner.linkID), "round \(round)")
        }
    }

    @Test("while the interface moves to another namespace, nothing is lost and no link is mistaken")
    func moved() throws {
        for round in 0..<12 {
            let bench = try ChainBench()
            let other = try NetworkNamespace.makePrivate()
            defer { cleanUp(other) }
            let owner = try ForeignLoader(bench, "pass", by: round % 2 == 0 ? .raw : .netlink)
            let editing = try Subprocess(
                Subprocess.binary("xdpctl"), ["adopt", "near", "--name", "m", "--netns", bench.path])
            usleep(UInt32.random(in: 0..<30_000))
            var route = try RouteSocket(in: bench.namespace)
            try route.move(bench.index, to: other)
            let result = try editing.wait()

            let occupant = try other.run { try Interface(named: "near").occupant() }
            switch occupant {
            case .chain(let active): #expect(active.manifest.chain.members.map(\.name) == ["m"])
            case .foreign(let program): #expect(program.information.id == owner.programID)
            default: Issue.record("round \(round): nothing runs: \(result)")
            }
            if case .chain = occupant {
                try other.run {
                    _ = try ChainEditor(Interface(named: "near")).release("m")
                }
            }
            let after = try other.run { try Interface(named: "near").link.xdp?.programID }
            #expect(after == owner.programID, "round \(round): \(result)")
            #expect(owner.linkID == 0 || !BPFPins.links().contains(owner.linkID), "round \(round)")
        }
    }

    /// What any later change does.
    private static func sweep() throws {
        let bench = try ChainBench()
        try bench.load("pass")
    }
}
