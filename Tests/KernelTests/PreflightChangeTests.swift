// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import TestSupport
import Testing
import XDP

/// What is checked, at which change, and what is not refused. Needs root.
@Suite("Checks before changes")
struct PreflightChangeTests {
    private static func load(_ fixture: String, _ interface: String = "near") throws -> [String] {
        ["load", interface, try Fixture.path(fixture)]
    }

    // MARK: Changes

    @Test("an edge that lets a verdict be the packet's is refused, one that leads it on is not")
    func edge() throws {
        let loss = try LossBench()
        let bench = loss.bench

        let joined = try bench.checked(
            "load", "near", Fixture.path("tx"), Fixture.path("drop"), "--on", "tx=next")
        // What stands last ends the chain with whatever it says, and drop says drop.
        let refused = try bench.checked("edge", "near", "tx", "tx=end")
        let forced = try bench.checked("edge", "near", "tx", "tx=end", "--force")

        #expect(joined.status == 0 && joined.checks.isEmpty, "\(joined.rules)")
        #expect(refused.status == 3 && refused.rules == ["error tx"])
        #expect(refused.failure?.what == "The edges of tx cannot be changed on near")
        #expect(forced.status == 0 && forced.rules == ["error tx"])
        #expect(try loss.returned() == 0)
    }

    @Test("a move that lets a verdict be the packet's is refused")
    func move() throws {
        let loss = try LossBench()
        let bench = loss.bench
        _ = try bench.checked("load", "near", Fixture.path("tx"), Fixture.path("drop"), "--on", "tx=next")

        let refused = try bench.checked("move", "near", "tx", "--last")
        let other = try bench.checked("load", "near", Fixture.path("pass"), "--last")
        let order = try bench.memberNames()
        let forced = try bench.checked("move", "near", "tx", "--last", "--force")

        #expect(refused.status == 3 && refused.rules == ["error tx"])
        #expect(other.status == 0 && order == ["tx", "drop", "pass"])
        #expect(forced.status == 0)
    }

    @Test("a replacement is checked, also of a member with a program of its own", arguments: [false, true])
    func replace(_ isIsolated: Bool) throws {
        let bench = try LossBench().bench
        _ = try bench.checked(Self.load("pass") + (isIsolated ? ["--isolate"] : []))
        let before = try bench.chain().manifest.chain

        let refused = try bench.checked("replace", "near", "pass", Fixture.path("tx"))
        let after = try bench.chain().manifest.chain
        let forced = try bench.checked("replace", "near", "pass", Fixture.path("tx"), "--force")

        #expect(refused.status == 3 && refused.rules == ["error tx"])
        #expect(before == after)
        #expect(forced.status == 0 && forced.rules == ["error tx"])
    }

    @Test("what the running chain loses anyway stands in the way of nothing else")
    func unrelated() throws {
        let loss = try LossBench()
        let bench = loss.bench
        _ = try bench.checked(Self.load("tx") + ["--force"])

        for words in [
            try Self.load("pass") + ["--first"], try Self.load("counters") + ["--first"],
            ["move", "near", "pass", "--first"], ["edge", "near", "pass", "drop=next"],
            ["replace", "near", "pass", try Fixture.path("drop"), "--program", "drop"],
            ["counters", "near", "packets"], ["fallback", "near", "pass"], ["unload", "near", "counters"],
        ] {
            let change = try bench.checked(words)
            #expect(change.status == 0, "\(words): \(change.rules)")
            #expect(!change.rules.contains("error tx"), "\(words): \(change.rules)")
        }
        let again = try bench.checked("replace", "near", "tx", Fixture.path("tx"), "--isolate")
        #expect(again.status == 0 && again.rules.contains("note tx"), "\(again.rules)")
        #expect(again.check("tx")?.what.hasSuffix("so it was before this change") == true)
    }

    @Test("adopting what loses packets says it, and changes nothing about it")
    func adopt() throws {
        let loss = try LossBench()
        let owner = try ForeignLoader(loss.bench, "tx", on: "near", by: .raw)

        let adopted = try loss.bench.checked("adopt", "near", "--name", "old")

        #expect(adopted.status == 0)
        #expect(adopted.rules == ["note tx"], "\(adopted.rules)")
        #expect(adopted.check("tx")?.subject == "old")
        withExtendedLifetime(owner) {}
    }

    @Test("a chain that was not changed is not checked")
    func unchanged() throws {
        let bench = try LossBench().bench
        _ = try bench.checked(Self.load("tx") + ["--force"])

        let same = try bench.checked("edge", "near", "tx", "tx=end")

        #expect(same.status == 0)
    }

    // MARK: Warnings and notes

    /// A fixture, what is found of it on `tap`, and how many of ten packets are passed there.
    typealias Row = (fixture: String, rules: [String], passed: Int)

    @Test(
        "what may be meant is said and not refused",
        arguments: [
            ("xskmap", ["note xsk-socket"], 10), ("xskmap_drop", ["warning xsk-socket"], 0),
            ("cpumap", ["note redirect-empty"], 10), ("cpumap_drop", ["warning redirect-empty"], 0),
            ("tail_user", ["note tail-call-empty"], 10), ("unknown_verdict", ["warning no-verdict"], 0),
            ("redirect_variable", ["note redirect-target"], 0), ("redirect", ["warning redirect-missing"], 0),
            ("pass", [], 10), ("counters", [], 10), ("garbage_verdict", [], 10), ("subprograms", [], 10),
        ] as [Row])
    func said(_ row: Row) throws {
        let loss = try LossBench()

        let change = try loss.bench.checked(Self.load(row.fixture, "tap"))

        #expect(change.status == 0)
        #expect(change.rules == row.rules)
        #expect(try loss.arrived(at: "tap") == row.passed)
    }

    @Test("a cpumap with a CPU in it hands packets on, and nothing is said of it")
    func filledCPUMap() throws {
        let loss = try LossBench()
        _ = try loss.bench.checked(Self.load("cpumap_drop", "tap"))
        try loss.fill("cpus", of: "cpumap_drop", at: 0, with: 192)

        let moved = try loss.bench.checked(
            "replace", "tap", "cpumap_drop", Fixture.path("cpumap_drop"), "--isolate")

        #expect(moved.status == 0 && moved.checks.isEmpty, "\(moved.rules)")
        #expect(try loss.arrived(at: "tap") == 10)
    }

    @Test("room for metadata: said where it may be missing, whether it is or not")
    func metadata() throws {
        let loss = try LossBench()

        let native = try loss.bench.checked(Self.load("meta_write", "tap"))
        let arrived = try loss.arrived(at: "tap")
        try loss.unload()
        let generic = try loss.bench.checked(Self.load("meta_write", "tap") + ["--mode", "generic"])
        let veth = try loss.bench.checked(Self.load("meta_write"))

        #expect(native.status == 0 && native.rules == ["warning metadata"])
        // The driver tun has had room since Linux 6.15 or so.
        #expect(arrived == 0 || arrived == 10)
        #expect(generic.check("metadata") == nil)
        #expect(try loss.arrived(at: "tap") == 10)
        #expect(veth.status == 0 && veth.checks.isEmpty)
    }

    @Test("a target that is down loses packets until it is up")
    func down() throws {
        let loss = try LossBench()
        try loss.openEnd()
        try loss.ip("link", "set", "out", "down")

        let change = try loss.bench.checked(
            Self.load("redirect", "tap") + ["--set", "target=\(loss.out)"])
        let lost = try loss.arrived()
        try loss.ip("link", "set", "out", "up")

        #expect(change.status == 0 && change.rules == ["warning redirect-down"], "\(change.rules)")
        #expect(lost == 0)
        #expect(try loss.arrived() == 10)
    }

    @Test("generic mode beside native, and one buffer beside several")
    func modes() throws {
        let bench = try LossBench().bench
        let generic = try bench.checked(Self.load("pass") + ["--mode", "generic"])
        try bench.edit { editor throws(XDPError) in try editor.unload(nil) }

        #expect(generic.status == 0)
        #expect(generic.rules == (try KernelNeed.netdevFamily.isMissing() ? [] : ["warning generic"]))
        try KernelNeed.check("frags")
        let mixed = try bench.checked(Self.load("pass") + [try Fixture.path("frags")])
        #expect(mixed.status == 0 && mixed.rules == ["note frags"])
        #expect(mixed.checks.first?.what.contains("because pass does not") == true)
    }

    // MARK: What the kernel refuses too

    @Test("native mode that is not there is a finding, in the kernel's words")
    func native() throws {
        let loss = try LossBench()
        try #require(try loss.ip("link", "add", "name", "plain", "type", "bridge").status == 0)

        let refused = try loss.bench.checked(Self.load("pass", "plain"))
        let automatic = try loss.bench.checked(Self.load("pass", "plain") + ["--mode", "auto"])

        #expect(refused.status == 3 && refused.rules == ["error native"])
        #expect(
            refused.check("native")?.evidence == [
                "the kernel: Underlying driver does not support XDP in native mode"
            ])
        #expect(refused.check("native")?.remedy?.contains("--mode generic") == true)
        #expect(automatic.status == 0 && automatic.change?.mode == "generic")
    }

    @Test("an MTU that is too large is a finding, and the remedy helps")
    func mtu() throws {
        let bench = try ChainBench(mtu: 9000)
        let refused = try bench.checked(Self.load("pass"))
        let file = try TemporaryDirectory()
        try file.describe("object: \(try Fixture.path("pass"))")
        let planned = try bench.apply("--dry-run", file.path, expecting: 3)
        _ = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", "ip", "link", "set", "dev", "far", "mtu", "3506"])

        let accepted = try bench.checked(Self.load("pass"))

        #expect(refused.status == 3 && refused.rules == ["error mtu"])
        #expect(refused.check("mtu")?.evidence == ["the kernel: veth: Peer MTU is too large to set XDP"])
        #expect(planned.first?.checks?.map(\.rule) == ["mtu"])
        #expect(
            planned.first?.checks?.first?.remedy?.hasPrefix("`ip link set dev far mtu 3506`") == true)
        #expect(accepted.status == 0)
    }

    @Test("a helper that the kernel lacks is named before the verifier sees it")
    func helpers() throws {
        let bench = try LossBench().bench

        let refused = try bench.checked(Self.load("helper_missing"))
        let forced = try bench.checked(Self.load("helper_missing") + ["--force"])
        let recent = try bench.checked(Self.load("helper_recent"))

        #expect(refused.status == 3 && refused.rules == ["error helper"])
        #expect(refused.failure?.why == "the kernel would refuse it (1 error)")
        #expect(refused.check("helper")?.what.hasPrefix("helper_missing.c:9 calls helper 9999") == true)
        #expect(forced.status == 1 && forced.failure?.why.contains("#9999") == true)
        if try KernelNeed.missing(for: "helper_recent") == nil {
            #expect(recent.status == 0 && recent.checks.isEmpty)
        } else {
            #expect(recent.status == 3)
            #expect(recent.check("helper")?.what.contains("calls bpf_xdp_get_buff_len") == true)
            #expect(recent.check("helper")?.remedy?.contains("Linux 5.18") == true)
        }
    }

    // MARK: Files

    @Test("a file is checked as a whole before anything of it is applied")
    func apply() throws {
        let loss = try LossBench()
        let file = try TemporaryDirectory()
        let (pass, tx) = (try Fixture.path("pass"), try Fixture.path("tx"))
        try file.describe(
            DescribedInterface(name: "tap", members: ["object: \(pass)"]),
            DescribedInterface(members: ["object: \(tx)"]))

        let planned = try loss.bench.apply("--dry-run", file.path, expecting: 3)
        let text = try loss.bench.xdpctl("apply", "--dry-run", file.path)
        let willing = try loss.bench.apply("--dry-run", "--force", file.path)
        let refused = try loss.bench.xdpctl("apply", file.path)
        let isUntouched = try loss.isEmpty()
        let forced = try loss.bench.apply("--force", file.path)
        let again = try loss.bench.apply(file.path)

        #expect(planned.map { $0.checks?.map(\.rule) } == [[], ["tx"]])
        #expect(text.status == 3 && text.output.contains("tx.c:7 sends packets back"), "\(text)")
        #expect(text.output.hasSuffix("nothing was changed (--dry-run)\n"))
        #expect(willing.map(\.outcome) == ["planned", "planned"])
        #expect(refused.status == 3 && isUntouched, "\(refused)")
        #expect(refused.errors.contains("xdpctl: Nothing was applied:"))
        #expect(forced.map(\.outcome) == ["attached", "attached"])
        #expect(forced.last?.checks?.map(\.severity) == ["error"])
        #expect(again.map(\.outcome) == ["unchanged", "unchanged"])
    }
}
