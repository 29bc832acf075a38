// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// Explanations of what programs say, each of a fault that is there. Needs root.
@Suite("Explained: what programs say")
struct ExplainVerdictTests {
    @Test("a filter that drops is named with the rule, and nobody else is blamed")
    func filterRule() throws {
        let bench = try FilterBench()
        try bench.apply(
            "rules { pass udp dport 80\n drop icmp\n drop udp dport 53\n drop udp dport 54\n default pass }")

        let explained = try bench.bench.explain("tap") {
            try bench.send(FilterBench.udp(53), times: 25)
            try bench.send(FilterBench.udp(54), times: 5)
        }

        #expect(explained.blamed == ["member-drops"], "\(explained)")
        let finding = try #require(explained.finding("member-drops"))
        #expect(finding.effect == .loss && finding.packets == 30)
        #expect(finding.what.contains("by rule 3: drop udp dport 53"), "\(explained)")
        #expect(finding.evidence.contains("rule 3: drop udp dport 53: 25 packets"))
        #expect(finding.evidence.contains("rule 4: drop udp dport 54: 5 packets"))
        #expect(finding.remedies.first?.contains("xdpctl filter delete tap 'drop udp dport 53'") == true)
        #expect(explained.packets(.dropped) == 30 && explained.explanation.ledger.packets == 30)
        try Remedy.obey(finding.remedies.first, in: bench.bench.path)
        let mended = try bench.bench.explain("tap") {
            try bench.send(FilterBench.udp(53), times: 5)
            try bench.send(FilterBench.udp(54), times: 5)
        }
        #expect(mended.finding("member-drops")?.packets == 5, "\(mended)")
    }

    @Test("of several members the one that drops is named, with its source line")
    func member() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", "drop", "tx")

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 40)) }

        #expect(explained.blamed == ["member-drops"], "\(explained)")
        #expect(explained.finding("member-drops")?.what == "drop dropped 40 packets of 40 that came to it")
        #expect(
            explained.finding("member-drops")?.evidence.contains("drop.c:7: return XDP_DROP;") == true,
            "\(explained)")
        try Remedy.obey(explained.finding("member-drops")?.remedies.first, in: bench.path)
        #expect(try bench.memberNames() == ["pass", "tx"])
    }

    @Test("an edge that leads on is no drop: the member at the end is named")
    func edge() throws {
        let bench = try ChainBench()
        try bench.loadAll("drop", "aborted")
        try bench.edit { editor throws(XDPError) in
            try editor.setEdges("drop", [.drop: .next])
        }

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 10)) }

        #expect(explained.blamed == ["aborted"], "\(explained)")
    }

    @Test(
        "aborted is named with the member, and told by the kernel as well",
        arguments: [["pass", "aborted"], ["aborted", "pass"]])
    func aborted(_ fixtures: [String]) throws {
        let bench = try ChainBench()
        for fixture in fixtures { try bench.load(fixture) }

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 20)) }

        #expect(explained.blamed == ["aborted"], "\(explained)")
        let finding = try #require(explained.finding("aborted"))
        #expect(finding.packets == 20)
        #expect(finding.evidence.contains("xdp:xdp_exception: 20 times"), "\(explained)")
        #expect(explained.packets(.aborted) == 20)
        try Remedy.obey(finding.remedies.last, in: bench.path)
        #expect(try bench.explainTaken(20).blamed.isEmpty)
    }

    @Test("a code that is no verdict is named with the member")
    func unknownVerdict() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", "unknown_verdict")

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 20)) }

        #expect(explained.blamed == ["unknown-verdict"], "\(explained)")
        #expect(explained.finding("unknown-verdict")?.packets == 20)
        #expect(
            explained.finding("unknown-verdict")?.evidence.contains("xdp:xdp_exception: verdict 7") == true,
            "\(explained)")
    }

    @Test("tail calls that are used up")
    func tailCalls() throws {
        guard try KernelProbe.countsTailCallsOfFunctions() else {
            try Test.cancel("this kernel counts tail calls of functions for each function alone")
        }
        let bench = try ChainBench()
        try bench.load("tail_self", as: "greedy") { $0.isIsolated = true }
        try bench.load("pass", as: "it") { $0.isIsolated = true }

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 20)) }

        #expect(explained.blamed == ["tail-calls"], "\(explained)")
        #expect(explained.finding("tail-calls")?.packets == 20)
        #expect(explained.packets(.missed) == 20)
        try Remedy.obey(explained.finding("tail-calls")?.remedies.first, in: bench.path)
        #expect(try bench.memberNames() == ["it", "greedy"])
        try Remedy.obey(explained.finding("tail-calls")?.remedies.last, in: bench.path)
    }

    @Test("a program of others that drops: the driver counts it, nobody else is blamed")
    func foreign() throws {
        let bench = try ChainBench()
        let loader = try ForeignLoader(bench, "drop")
        defer { loader.end() }

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 20)) }

        #expect(explained.blamed == ["member-drops"], "\(explained)")
        #expect(explained.finding("member-drops")?.packets == 20)
        #expect(explained.explanation.ledger.source == .driver && explained.packets(.dropped) == 20)
    }

    @Test("a program of others that answers aborted")
    func foreignAborted() throws {
        let bench = try ChainBench()
        let loader = try ForeignLoader(bench, "aborted")
        defer { loader.end() }

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 20)) }

        #expect(explained.blamed == ["aborted"], "\(explained)")
        #expect(explained.finding("aborted")?.packets == 20)
    }

    @Test("without counters nobody is blamed, and it is said how to count")
    func uncounted() throws {
        let bench = try ChainBench()
        try bench.loadAll("drop")
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.off) }

        let explained = try bench.explain { try bench.send([Packet](repeating: LossBench.packet, count: 20)) }

        #expect(explained.explanation.findings.allSatisfy { $0.hypothesis == "member-drops" }, "\(explained)")
        if explained.blamed.isEmpty {
            #expect(explained.reason("member-drops")?.contains("`xdpctl counters near packets`") == true)
            try Remedy.obey(explained.reason("member-drops"), in: bench.path)
            #expect(try bench.chain().manifest.chain.counters == .packets)
        }
    }
}
