// SPDX-License-Identifier: Apache-2.0
import Bytecode
import Filter
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// New rules that go by themselves. Needs root.
@Suite("Rules that wait to be confirmed")
struct FilterConfirmTests {
    private static let old = "rules { drop udp dport 1\n default pass }"
    private static let new = "rules { drop udp dport 2\n default pass }"
    /// Time enough to do something before it is over, on a slow machine (`XDP_SLOW`) more.
    private static let seconds: UInt64 = getenv("XDP_SLOW") == nil ? 3 : 12
    private static let patience = Int(seconds) + 5

    @Test("before the deadline packets follow the new rules, behind it the old ones, with nobody's help")
    func expires() throws {
        let bench = try FilterBench()
        try bench.apply(Self.old)
        let report = try bench.apply(Self.new) { $0.confirmSeconds = Self.seconds }
        try bench.send(FilterBench.udp(2), times: 3)
        #expect(report.gate?.seconds == Self.seconds)
        #expect(try bench.members() == ["filter.gate", "filter.new", "filter"])
        #expect(try bench.counted()["drop udp dport 2"] == 3)
        #expect(try bench.filter().gate?.isOpen == true)

        #expect(try eventually(within: Self.patience) { try bench.filter().gate?.isOpen == false })
        try bench.send(FilterBench.udp(1), times: 4)
        try bench.send(FilterBench.udp(2))

        #expect(try bench.counted() == ["drop udp dport 1": 4, "default": 1])
        #expect(try bench.filter().rules.rules.map(\.text) == ["drop udp dport 1"])
        let (settlement, _, _) = try bench.edit { editor throws(XDPError) in try editor.revert() }
        #expect(settlement == .expired)
        #expect(try bench.members() == ["filter"])
    }

    @Test("the deadline is of the clock that goes on while a machine sleeps, here and in the kernel")
    func clock() throws {
        let bench = try FilterBench()
        let directory = try TemporaryDirectory()
        let file = try directory.write("new.xdp", Self.new)
        // No test can let the machine sleep: there the other clock is far behind, as it is in this time namespace.
        let result = try Subprocess.run(
            "unshare",
            [
                "--time", "--fork", "--monotonic", "100000", Subprocess.binary("xdpctl"), "filter", "apply",
                "tap",
                file, "--confirm", "60", "--force", "--netns", bench.bench.path,
            ])
        #expect(result.status == 0, "\(result)")

        let gate = try #require(try bench.filter().gate)
        #expect((1...60).contains(gate.remaining), "\(gate)")
        let member = try #require(try bench.bench.chain("tap").manifest.chain["filter.gate"])
        // bpf_ktime_get_boot_ns, and not bpf_ktime_get_ns.
        #expect(member.unit.instructions.contains(.call(helper: 125)))
        try bench.send(FilterBench.udp(2))
        #expect(try bench.counted()["drop udp dport 2"] == 1)
    }

    @Test("confirmed in time the new rules stay, with all counters")
    func confirmed() throws {
        let bench = try FilterBench()
        try bench.apply(Self.old)
        try bench.send(FilterBench.udp(9), times: 5)
        try bench.apply(Self.new) { $0.confirmSeconds = 60 }
        try bench.send(FilterBench.udp(9), times: 2)

        let (settlement, name, _) = try bench.edit { editor throws(XDPError) in try editor.confirm() }
        try bench.send(FilterBench.udp(2))

        #expect(settlement == .confirmed)
        #expect(name == "filter")
        #expect(try bench.members() == ["filter"])
        #expect(try bench.counted() == ["drop udp dport 2": 1, "default": 7])
        #expect(try bench.verdicts(.pass) == ["filter": 7])
        #expect(try bench.filter().gate == nil)
    }

    @Test("reverted, the old rules are alone at once")
    func reverted() throws {
        let bench = try FilterBench()
        try bench.apply(Self.old)
        try bench.apply(Self.new) { $0.confirmSeconds = 60 }

        let (settlement, _, _) = try bench.edit { editor throws(XDPError) in try editor.revert() }

        #expect(settlement == .reverted)
        #expect(try bench.members() == ["filter"])
        #expect(try bench.filter().rules.rules.map(\.text) == ["drop udp dport 1"])
    }

    @Test("where there were no rules before, packets go on to what follows when the time is over")
    func first() throws {
        let bench = try FilterBench()
        let path = try Fixture.path("drop")
        try bench.bench.edit("tap") { editor throws(XDPError) in try editor.load([LoadRequest(path: path)]) }
        try bench.apply(Self.new) { $0.confirmSeconds = Self.seconds }
        try bench.send(FilterBench.udp(2))
        #expect(try bench.verdicts(.drop)["filter.new"] == 1)

        #expect(try eventually(within: Self.patience) { try bench.verdictsAfter() >= 1 })
        _ = try bench.edit { editor throws(XDPError) in try editor.revert() }

        #expect(try bench.members() == ["drop"])
    }

    @Test("while rules wait others are refused, and after the deadline they take the place of the old ones")
    func refused() throws {
        let bench = try FilterBench()
        try bench.apply(Self.old)
        try bench.apply(Self.new) { $0.confirmSeconds = Self.seconds }

        let error = bench.bench.failure { try bench.apply("rules { default drop }") }
        #expect(error?.kind == .refused)
        #expect(error?.remedy?.contains("confirm") == true)

        #expect(try eventually(within: Self.patience) { try bench.filter().gate?.isOpen == false })
        let report = try bench.apply("rules { drop udp dport 3\n default pass }")
        #expect(report.removed == ["drop udp dport 1"])
        #expect(try bench.members() == ["filter"])
    }

    @Test("edges of others that led to the filter lead to the gate, and back again")
    func edges() throws {
        let bench = try FilterBench()
        let path = try Fixture.path("choose")
        try bench.apply(Self.old)
        try bench.bench.edit("tap") { editor throws(XDPError) in
            var request = LoadRequest(path: path)
            request.position = .first
            request.edges = [.drop: .member("filter")]
            return try editor.load([request])
        }

        try bench.apply(Self.new) { $0.confirmSeconds = 60 }
        #expect(
            try bench.bench.chain("tap").manifest.chain["choose"]?.edges == [.drop: .member("filter.gate")])
        _ = try bench.edit { editor throws(XDPError) in try editor.confirm() }

        #expect(try bench.bench.chain("tap").manifest.chain["choose"]?.edges == [.drop: .member("filter")])
    }
}

extension FilterBench {
    /// Sends a packet that no rule drops, and says how many the last member dropped.
    fileprivate func verdictsAfter() throws -> UInt64 {
        try send(FilterBench.udp(9))
        return try verdicts(.drop)["drop"] ?? 0
    }
}
