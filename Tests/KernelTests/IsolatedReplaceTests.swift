// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Glibc
import Packets
import Synchronization
import TestSupport
import Testing
import XDP

/// Members with programs of their own, exchanged while packets flow and others change the chain. Needs root.
@Suite("Isolated members that are replaced")
struct IsolatedReplaceTests {
    /// Sends without a pause worth naming, from a thread of its own.
    private final class Sender: Sendable {
        private let isOver = Atomic(false)
        private let sent = Atomic(0)

        init(_ bench: ChainBench) {
            let thread = Thread { [self] in
                let batch = [Packet](repeating: ChainBench.packet(for: .pass), count: 32)
                while !isOver.load(ordering: .acquiring) {
                    if (try? bench.send(batch)) != nil { sent.add(batch.count, ordering: .relaxed) }
                    usleep(500)
                }
                sent.add(1 << 40, ordering: .releasing)
            }
            thread.start()
        }

        /// Stops, and says how many packets arrived.
        func finish(_ bench: ChainBench) throws -> UInt64 {
            isOver.store(true, ordering: .releasing)
            try #require(eventually { sent.load(ordering: .acquiring) >= 1 << 40 })
            return UInt64(sent.load(ordering: .relaxed) - 1 << 40) - (try bench.refusedPackets())
        }
    }

    @Test("replaced under traffic, no packet escapes the member, and the chain is not swapped")
    func traffic() throws {
        let bench = try ChainBench()
        let files = try (0..<2).map { _ in try TemporaryFile(copying: Fixture.path("counters")) }
        try bench.load("counters", as: "before")
        try bench.load("counters", as: "it") { $0.isIsolated = true }
        try bench.load("drop", as: "last")
        let chain = try bench.chain()
        let sender = Sender(bench)
        var programs: Set<UInt32> = []
        var seen = 0

        for round in 0..<300 {
            let report = try bench.edit { editor throws(XDPError) in
                try editor.replace("it", with: LoadRequest(path: files[round % 2].path))
            }
            if let id = report.chain["it"]?.separate?.programID { programs.insert(id) }
            seen += report.notes.filter { $0.contains("exchanged alone") }.count
        }
        let arrived = try sender.finish(bench)
        _ = try bench.counters(seeing: arrived)
        let counters = try bench.counters(seeing: arrived)

        #expect(programs.count == 300)
        #expect(seen == 300)
        #expect(arrived > 3000)
        let active = try bench.chain()
        #expect(active.programID == chain.programID)
        #expect(try active.member("it").mapIDs == chain.member("it").mapIDs)
        #expect(try active.member("it").origin == files[1].path)
        #expect(try active.map("protocols", of: "before").sum(at: 17) == arrived)
        #expect(try active.map("protocols", of: "it").sum(at: 17) == arrived)
        #expect(counters["it"]?[.pass].packets == arrived)
        #expect(counters["it"]?.missed.packets == 0)
        #expect(counters["last"]?[.drop].packets == arrived)
        #expect(try eventually { try KernelIDs.programs().filter(programs.contains).count == 1 })
    }

    @Test("maps that do not fit are new, those that do are kept, and both are accounted for")
    func maps() throws {
        let bench = try ChainBench()
        try bench.load("replace_v1", as: "it") { $0.isIsolated = true }
        let program = try bench.chain().programID
        try bench.send([ChainBench.packet(for: .pass), ChainBench.packet(for: .pass)])
        _ = try bench.counters(seeing: 2)

        let path = try Fixture.path("replace_v2")
        let report = try bench.edit { editor throws(XDPError) in
            try editor.replace("it", with: LoadRequest(path: path))
        }
        try bench.send([ChainBench.packet(for: .pass)])
        _ = try bench.counters(seeing: 3)

        let active = try bench.chain()
        #expect(active.programID == program)
        #expect(try active.map("kept", of: "it").number() == 12)
        #expect(try active.map("changed", of: "it").number() == 10)
        #expect(try active.map("added", of: "it").number() == 10)
        #expect(report.notes.contains("kept: kept"), "\(report.notes)")
        // A later change of the chain takes the new ones along.
        try bench.load("drop", at: .last)
        #expect(try bench.chain().map("added", of: "it").number() == 10)
    }

    @Test("a replacement that the verifier rejects leaves the old program where it is")
    func rejected() throws {
        let bench = try ChainBench()
        try bench.load("counters", as: "it") { $0.isIsolated = true }
        let before = try bench.chain().member("it")
        let path = try Fixture.path("rejected_bounds")

        let error = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.replace("it", with: LoadRequest(path: path))
            }
        }

        #expect(error?.what == "The verifier rejects it", "\(error.debugText)")
        #expect(error?.why.contains("rejected_bounds.c:10") == true)
        #expect(try bench.chain().member("it") == before)
    }

    /// What others do meanwhile.
    enum Disturbance: String, CaseIterable, Sendable {
        case load, move, frags, segments

        func perform(_ bench: ChainBench, _ round: Int) throws {
            switch self {
            case .move:
                try bench.edit { editor throws(XDPError) in
                    try editor.move("it", to: round % 2 == 0 ? .first : .last)
                }
            case .load: try toggle(bench, "frags", round)
            case .frags: try toggle(bench, "pass", round)
            case .segments: try toggle(bench, "maps40", round)
            }
        }

        private func toggle(_ bench: ChainBench, _ fixture: String, _ round: Int) throws {
            for name in self == .segments ? ["x", "y"] : ["x"] {
                if round % 2 == 0 {
                    try bench.load(fixture, as: name, at: .last)
                } else {
                    try bench.edit { editor throws(XDPError) in try editor.unload([name]) }
                }
            }
        }
    }

    @Test("beside changes of others no replacement is lost", arguments: Disturbance.allCases)
    func beside(_ disturbance: Disturbance) throws {
        let fixture = try KernelProbe.knows("xdp_has_frags") ? "frags" : "pass"
        if disturbance == .frags || disturbance == .load, fixture == "pass" {
            try Test.cancel("this kernel does not know packets of several buffers (Linux 5.18)")
        }
        let bench = try ChainBench()
        let files = try (0..<2).map { _ in try TemporaryFile(copying: Fixture.path(fixture)) }
        try bench.load(fixture, as: "it") { $0.isIsolated = true }
        try bench.load(fixture, as: "other")
        let isOver = Atomic(false)
        let rounds = Atomic(0)
        let failure = Mutex<String?>(nil)
        let other = Thread {
            while !isOver.load(ordering: .acquiring) {
                do {
                    try disturbance.perform(bench, rounds.load(ordering: .relaxed))
                } catch {
                    failure.withLock { $0 = "\(error)" }
                }
                rounds.add(1, ordering: .relaxed)
            }
            rounds.add(1 << 40, ordering: .releasing)
        }
        other.start()

        var lost = 0
        var arrays: Set<UInt32> = []
        for round in 0..<120 {
            let path = files[round % 2].path
            try bench.edit { editor throws(XDPError) in
                try editor.replace("it", with: LoadRequest(path: path))
            }
            // Who takes the array away meanwhile brings the member in at the end of the change.
            let isThere = try eventually(within: 3) {
                let member = try bench.chain().member("it")
                if let id = member.separate?.arrayID { arrays.insert(id) }
                return member.origin == path
            }
            if !isThere { lost += 1 }
        }
        isOver.store(true, ordering: .releasing)
        #expect(eventually { rounds.load(ordering: .acquiring) >= 1 << 40 })

        #expect(lost == 0)
        #expect(failure.withLock { $0 } == nil)
        #expect(rounds.load(ordering: .relaxed) - 1 << 40 > 5)
        let active = try bench.chain()
        #expect(try active.member("it").origin == files[1].path)
        let separate = try #require(try active.member("it").separate)
        #expect(try BPFMap(id: separate.arrayID).programID(at: 0) == separate.programID)
        arrays.insert(separate.arrayID)
        #expect(BPFPins.arrays().contains(separate.arrayID))
        // A pin that a change on its way still needed goes with a later sweep.
        #expect(BPFPins.arrays().intersection(arrays).count <= 2)
        #expect(arrays.count > 1 || disturbance == .load || disturbance == .move || fixture == "pass")
    }

    @Test("two who replace the same member at once leave one of the two programs")
    func twice() throws {
        let bench = try ChainBench()
        let files = try (0..<2).map { _ in try TemporaryFile(copying: Fixture.path("counters")) }
        try bench.load("counters", as: "it") { $0.isIsolated = true }
        let xdpctl = try Subprocess.binary("xdpctl")
        for _ in 0..<15 {
            let processes = try files.map {
                try Subprocess(xdpctl, ["replace", "near", "it", $0.path, "--netns", bench.path])
            }
            let results = try processes.map { try $0.wait() }
            #expect(results.allSatisfy { $0.status == 0 }, "\(results)")
            let member = try bench.chain().member("it")
            #expect(files.map(\.path).contains(member.origin))
            let separate = try #require(member.separate)
            #expect(try BPFMap(id: separate.arrayID).programID(at: 0) == separate.programID)
        }
    }

    @Test("no packet on its way meets an array that a change gives up", arguments: [true, false])
    func inFlight(segments: Bool) throws {
        let bench = try ChainBench()
        try bench.load("counters", as: "before")
        let fixtures = segments ? ["maps40", "maps40"] : ["pass", "pass"]
        for (place, fixture) in fixtures.enumerated() {
            try bench.load(fixture, as: "m\(place)") { $0.isIsolated = !segments }
        }
        try bench.load("counters", as: "after")
        try bench.load("drop", as: "last")
        let sender = Sender(bench)

        for round in 0..<(segments ? 60 : 80) {
            if segments {
                try bench.edit { editor throws(XDPError) in
                    try editor.move("m\(round % 2)", to: .after("m\((round + 1) % 2)"))
                }
            } else if round % 2 == 0 {
                try bench.edit { editor throws(XDPError) in try editor.unload(["m1"]) }
            } else {
                try bench.load("pass", as: "m1", at: .after("m0")) { $0.isIsolated = true }
            }
        }
        let arrived = try sender.finish(bench)
        _ = try bench.counters(seeing: arrived)
        let counters = try bench.counters(seeing: arrived)

        let active = try bench.chain()
        #expect(arrived > 2000)
        #expect(active.manifest.generation > 60)
        #expect(try active.map("protocols", of: "before").sum(at: 17) == arrived)
        #expect(try active.map("protocols", of: "after").sum(at: 17) == arrived)
        #expect(counters["last"]?[.drop].packets == arrived)
        #expect(counters.values.allSatisfy { $0.missed.packets == 0 && $0[.aborted].packets == 0 })
    }
}

extension ChainBench {
    /// Packets that `far` could not hand over.
    func refusedPackets() throws -> UInt64 {
        let text = try namespace.run {
            String(decoding: try TemporaryFile.contents(of: "/proc/thread-self/net/dev"), as: UTF8.self)
        }
        let line = try #require(text.split(separator: "\n").first { $0.contains("far:") })
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        return try #require(UInt64(fields[12]))
    }
}
