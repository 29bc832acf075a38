// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import XDP

/// Several processes change one chain at once. Needs root.
@Suite("Processes that change a chain at once")
struct ChainRaceTests {
    @Test("of two processes with a hundred changes each no change is lost")
    func hundredEach() throws {
        let bench = try ChainBench()
        let path = try Fixture.path("choose")
        let workers = try ["a", "b"].map { name in
            try Subprocess.worker(bench, "near", ["churn", name, "100", path])
        }

        let results = try workers.map { try $0.wait(seconds: 180) }

        #expect(results.allSatisfy { $0.status == 0 }, "\(results)")
        let active = try bench.chain()
        let expected = Set(["a", "b"].flatMap { name in (0..<25).map { "\(name)\($0)" } })
        #expect(Set(active.manifest.chain.members.map(\.name)) == expected)
        for member in active.manifest.chain.members {
            #expect(member.edges == [.aborted: .next, .drop: .next, .tx: .next], "\(member.name)")
        }
        #expect(active.manifest.generation == 200)
    }

    @Test("a member that comes while the last one goes is never lost")
    func lastAndFirst() throws {
        let bench = try ChainBench()
        let path = try Fixture.path("counters")
        let binary = try Subprocess.binary("xdpctl")
        for round in 0..<30 {
            try bench.load("pass", as: "old")

            let unload = ["unload", "near", "old", "--netns", bench.path]
            let load = ["load", "near", path, "--name", "new", "--netns", bench.path]
            let processes = try (round % 2 == 0 ? [unload, load] : [load, unload]).map { words in
                try Subprocess(binary, words)
            }
            let results = try processes.map { try $0.wait() }

            #expect(results.allSatisfy { $0.status == 0 }, "round \(round): \(results)")
            #expect(try bench.memberNames() == ["new"], "round \(round)")
            try bench.edit { editor throws(XDPError) in try editor.unload(nil) }
        }
    }

    @Test("several first loads at once all get in")
    func firstLoads() throws {
        let bench = try ChainBench()
        let path = try Fixture.path("pass")
        let binary = try Subprocess.binary("xdpctl")
        for round in 0..<15 {
            let processes = try (0..<3).map { number in
                try Subprocess(
                    binary, ["load", "near", path, "--name", "m\(number)", "--netns", bench.path])
            }
            let results = try processes.map { try $0.wait() }

            #expect(results.allSatisfy { $0.status == 0 }, "round \(round): \(results)")
            #expect(Set(try bench.memberNames()) == ["m0", "m1", "m2"], "round \(round)")
            // Also where the process that made the link was not the last one.
            let link = try #require(try bench.chain().linkID)
            #expect(BPFPins.links().contains(link), "round \(round)")
            try bench.edit { editor throws(XDPError) in try editor.unload(nil) }
            #expect(!BPFPins.links().contains(link), "round \(round)")
        }
    }

    @Test("unloads and moves beside another's changes never see an empty chain")
    func besideChanges() throws {
        let bench = try ChainBench()
        let path = try Fixture.path("pass")
        let worker = try Subprocess.worker(bench, "near", ["churn", "a", "60", path])
        _ = try eventually { try !bench.memberNames().isEmpty }
        var error: (any Error)?
        do {
            for number in 0..<20 {
                try bench.load("drop", as: "mine\(number)")
                try bench.edit { editor throws(XDPError) in try editor.move("mine\(number)", to: .first) }
                try bench.edit { editor throws(XDPError) in try editor.unload(["mine\(number)"]) }
            }
        } catch let failure { error = failure }
        let result = try worker.wait(seconds: 120)

        #expect(error == nil)
        #expect(result.status == 0, "\(result)")
        #expect(try bench.memberNames().count == 15)
    }
}
