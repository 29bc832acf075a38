// SPDX-License-Identifier: Apache-2.0
import Foundation
import Packets
import Synchronization
import TestSupport
import Testing
import XDP

/// `xdpctl explain` as people and scripts call it. Needs root.
@Suite("The command explain")
struct ExplainCommandTests {
    /// Sends packets from `far` until this value goes.
    private final class Traffic: Sendable {
        private let isOver = Atomic(false)
        private let hasEnded = Atomic(false)

        init(_ bench: ChainBench, _ packet: Packet) {
            let thread = Thread { [self] in
                while !isOver.load(ordering: .relaxed) {
                    try? bench.send([packet])
                    usleep(2000)
                }
                hasEnded.store(true, ordering: .releasing)
            }
            thread.start()
        }

        func end() {
            isOver.store(true, ordering: .relaxed)
            _ = eventually { hasEnded.load(ordering: .acquiring) }
        }
    }

    private struct Printed: Decodable {
        struct Way: Decodable {
            let way: String
            let member: String?
            let packets: UInt64
        }
        struct Finding: Decodable {
            let hypothesis: String
            let packets: UInt64?
            let remedies: [String]
        }
        struct Other: Decodable {
            let hypothesis: String
        }
        let seconds: Double
        let packets: UInt64
        let countedBy: String
        let ways: [Way]
        let findings: [Finding]
        let ruledOut: [Other]
        let unknown: [Other]
    }

    private func printed(_ bench: ChainBench, _ words: String...) throws -> Printed {
        let result = try bench.xdpctl(["explain"] + words + ["--json"])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Printed.self, from: Data(result.output.utf8))
    }

    @Test("what it prints is as the schema says, with and without a chain, packets and programs of others")
    func schemas() throws {
        let bench = try ChainBench()
        let empty = try printed(bench, "near", "--for", "0.3")
        let traffic = Traffic(bench, LossBench.packet)
        defer { traffic.end() }
        let bare = try printed(bench, "near", "--for", "0.3s")
        let loader = try ForeignLoader(bench, "drop")
        let foreign = try printed(bench, "near", "--for", "0.5")
        loader.end()
        try bench.loadAll("pass", "drop")
        let chain = try printed(bench, "near", "--for", "0.5")

        #expect(empty.packets == 0 && empty.findings.map(\.hypothesis) == ["no-packets"])
        #expect(bare.packets > 0 && bare.ways.map(\.way) == ["stack"] && bare.countedBy == "stack")
        #expect(foreign.countedBy == "driver" && foreign.findings.map(\.hypothesis) == ["member-drops"])
        #expect(chain.countedBy == "chain" && chain.seconds >= 0.5)
        #expect(chain.ways.map(\.way) == ["dropped"] && chain.ways.first?.member == "drop")
        #expect(chain.findings.first?.packets == chain.packets)
        #expect(chain.ruledOut.count > 10)
        // As it is printed, from where it was printed: outside of the namespace.
        try Remedy.obey(chain.findings.first?.remedies.first, in: "/proc/self/ns/net")
        #expect(try bench.memberNames() == ["pass"])
    }

    @Test("people get a summary, evidence and what to do, in 80 columns")
    func text() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", "drop")
        let traffic = Traffic(bench, LossBench.packet)
        defer { traffic.end() }

        let result = try bench.xdpctl("explain", "near", "--for", "0.5")
        let all = try bench.xdpctl("explain", "near", "--for", "0.5", "--all")

        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("near: of ") == true, "\(result)")
        #expect(lines.dropFirst().first?.hasSuffix("  dropped by drop") == true, "\(result)")
        #expect(result.output.contains("\n  loss  drop dropped "), "\(result)")
        #expect(result.output.contains("drop.c:7: return XDP_DROP;"))
        #expect(result.output.contains("\n          do: If that is not wanted"))
        #expect(result.output.contains("are ruled out (--all shows why)"))
        #expect(all.output.contains("\n  no-link "), "\(all)")
        for line in (result.output + all.output).split(separator: "\n") {
            #expect(line.count <= 80, "\(line)")
        }
    }

    @Test("what cannot be explained is said as the other commands do")
    func errors() throws {
        let bench = try ChainBench()
        let missing = try bench.xdpctl("explain", "nosuch0", "--json")
        let never = try bench.xdpctl("explain", "near", "--for", "0")
        let word = try bench.xdpctl("explain", "near", "--for", "long")

        #expect(missing.status == 1 && missing.output.contains("nosuch0"), "\(missing)")
        #expect(never.status == 2 && word.status == 2, "\(never)\(word)")
    }

    @Test("an interrupt ends the watching, and what was seen is explained")
    func interrupted() throws {
        let bench = try ChainBench()
        try bench.loadAll("drop")
        let running = try Subprocess(
            Subprocess.binary("xdpctl"), ["explain", "near", "--for", "60", "--netns", bench.path])
        usleep(1_500_000)
        kill(running.processID, SIGINT)
        let result = try running.wait()

        #expect(result.status == 0 && result.output.hasPrefix("near: no packet came in "), "\(result)")
    }
}
