// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// Explanations with packets as evidence. Needs root.
@Suite("Explained: with packets")
struct ExplainSampleTests {
    @Test("packets that a filter drops are shown, and the chain is as before")
    func examples() throws {
        let bench = try FilterBench()
        try bench.apply("rules { drop udp dport 53\n default pass }")

        let explained = try bench.bench.explain("tap", sampling: true) {
            try bench.send(FilterBench.udp(53), times: 25)
            usleep(200_000)
        }

        #expect(explained.blamed == ["member-drops"], "\(explained)")
        #expect(explained.finding("member-drops")?.packets == 25)
        let example = explained.finding("member-drops")?.evidence.first {
            $0.hasPrefix("e.g. udp 192.0.2.1:")
        }
        #expect(example?.hasSuffix(":53 len 60") == true, "\(explained)")
        let chain = try bench.bench.chain("tap").manifest.chain
        #expect(chain.taps.isEmpty && chain.members.map(\.name) == ["filter"])
    }

    @Test("what nobody counts of a program of others is counted while packets are looked at")
    func foreign() throws {
        let bench = try ChainBench(withTAP: true)
        let loader = try ForeignLoader(bench, "drop", on: "tap")
        defer { loader.end() }
        let write: @Sendable () throws -> Void = {
            for _ in 0..<20 { try bench.tap?.write(LossBench.packet) }
            usleep(200_000)
        }

        let blind = try bench.explain("tap", while: write)
        let explained = try bench.explain("tap", sampling: true, while: write)

        #expect(blind.blamed.isEmpty, "\(blind)")
        #expect(blind.reason("no-packets")?.contains("rx_dropped of tap grew by 20") == true, "\(blind)")
        #expect(blind.reason("member-drops")?.contains("--sample") == true)
        #expect(explained.blamed == ["member-drops"], "\(explained)")
        #expect(explained.finding("member-drops")?.packets == 20, "\(explained)")
        #expect(!explained.facts.notes.isEmpty)
        // It is no member any more when this is read.
        let remedies = explained.finding("member-drops")?.remedies ?? []
        #expect(remedies.count == 1 && remedies[0].contains("xdpctl status tap"), "\(remedies)")
        #expect(
            try bench.namespace.run { try Interface(named: "tap").link.xdp?.programID } == loader.programID)
    }

    @Test("checksums that a sender left to a card, and the remedy")
    func checksums() throws {
        let bench = try StackBench()
        let requests = try ["tx", "pass"].map { LoadRequest(path: try Fixture.path($0)) }
        try bench.there.run { _ = try ChainEditor(try Interface(named: "far")).load([requests[1]]) }
        try bench.here.run { _ = try ChainEditor(try Interface(named: "near")).load([requests[0]]) }
        // What is sent back answers no question for an address.
        let neighbour = try Subprocess.run(
            "nsenter",
            [
                "--net=\(bench.farPath)", "ip", "neigh", "replace", "192.0.2.1", "lladdr",
                "02:00:00:00:00:01",
                "dev", "far", "nud", "permanent",
            ])
        try #require(neighbour.status == 0, "\(neighbour)")

        func watched() throws -> Explained {
            try bench.here.run {
                try Explained(of: "near", for: 0.6, sampling: true) {
                    try bench.sendToClosedPort(20)
                    usleep(200_000)
                }
            }
        }
        let explained = try watched()
        try Remedy.obey(explained.finding("checksum")?.remedies.first, in: bench.farPath)
        let mended = try watched()

        #expect(explained.blamed == ["checksum"], "\(explained)")
        #expect(explained.finding("checksum")?.packets ?? 0 >= 20, "\(explained)")
        #expect(
            explained.finding("checksum")?.remedies.first?.contains("ethtool -K far tx off") == true,
            "\(explained)")
        #expect(mended.blamed.isEmpty, "\(mended)")
        #expect(mended.reason("checksum")?.contains("had right checksums") == true, "\(mended)")
    }

    @Test("a card that joins packets", arguments: [EmulatedCards.vmxnet3])
    func joined(_ cards: EmulatedCards) throws {
        try cards.check()
        let bench = try ChainBench(cards: cards)
        try bench.listenToEverything()
        try bench.loadAll("pass", mode: .generic)
        // The kernel switches it off for the program; somebody switches it on again.
        let switched = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", "ethtool", "-K", "near", "lro", "on"])
        try #require(switched.status == 0, "\(switched)")

        let explained = try bench.explainTaken(20)

        #expect(explained.blamed.contains("joined-packets"), "\(explained)")
        #expect(
            explained.blamed.isSubset(of: ["joined-packets", "generic-mode", "driver-feature"]),
            "\(explained)")
    }
}
