// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import TestSupport
import Testing
import XDP

/// Packets that the kernel loses without a word: first seen, forced, at the receiver; then refused; then, after
/// the remedy, they arrive. Needs root.
@Suite("Losses that are refused")
struct PreflightLossTests {
    /// What packets are redirected to, natively and in vain.
    enum Target: String, CaseIterable, Sendable {
        case veth
        case bridge
        case vlan
        case macvlan
        case lo
        case ifb
        case dummy

        /// Makes it, with a veth below where it has one; nil where this kernel has none of the kind.
        func make(_ bench: LossBench) throws -> String? {
            let words: [String]
            switch self {
            case .veth: return "out"
            case .lo:
                try bench.ip("link", "set", "lo", "up")
                return "lo"
            case .vlan: words = ["link", "out", "name", "target", "type", "vlan", "id", "5"]
            case .macvlan: words = ["link", "out", "name", "target", "type", "macvlan"]
            case .bridge, .ifb, .dummy: words = ["name", "target", "type", rawValue]
            }
            guard try bench.ip(["link", "add"] + words).status == 0 else { return nil }
            if self == .bridge { try bench.ip("link", "set", "out", "master", "target") }
            try bench.ip("link", "set", "target", "up")
            return "target"
        }

        /// Where what is sent to it can be heard; nil where it swallows everything.
        var receiver: String? {
            switch self {
            case .lo: "lo"
            case .ifb, .dummy: nil
            default: "sink"
            }
        }
    }

    @Test("what is redirected to an interface that takes nothing from XDP", arguments: Target.allCases)
    func redirectTarget(_ target: Target) throws {
        let loss = try LossBench()
        guard let name = try target.make(loss) else {
            try Test.skip("this kernel has no interfaces of the kind \(target)")
        }
        let words = ["load", "tap", try Fixture.path("redirect"), "--set", "target=\(try loss.index(name))"]

        let forced = try loss.bench.checked(words + ["--force"])
        let lost = try loss.arrived(at: target.receiver ?? "sink")
        try loss.unload()

        #expect(forced.status == 0)
        #expect(lost == 0)
        // Before 6.3 the kernel tells of veth alone, by what its other end does.
        if try target != .veth && KernelNeed.netdevFamily.isMissing() {
            #expect(forced.rules == ["note redirect-target"])
            #expect(forced.checks.first?.what.contains("cannot be checked, because") == true)
        } else {
            #expect(forced.rules == ["error redirect-target"])
            let refused = try loss.bench.checked(words)
            #expect(refused.status == 3 && refused.failure?.kind == "refused")
            #expect(refused.failure?.why == "it would lose packets (1 error)")
            let check = try #require(refused.check("redirect-target"))
            #expect(check.severity == "error" && check.subject == "redirect")
            #expect(check.what == "redirect.c:9 sends packets to \(name), which cannot take them")
            #expect(check.evidence.contains("redirect.c:9: return bpf_redirect(target, 0);"))
            #expect(check.evidence.contains { $0.hasPrefix(name) && $0.contains("no ndo-xmit") })
            #expect(check.consequence == "packets redirected there are lost without a trace")
            #expect(check.remedy?.contains("--mode generic") == true)
            #expect(try loss.isEmpty())
        }
        let generic = try loss.bench.checked(words + ["--mode", "generic"])
        #expect(generic.status == 0 && generic.check("redirect-target") == nil)
        if let receiver = target.receiver { #expect(try loss.arrived(at: receiver) == 10) }
    }

    @Test(
        "after the remedy a veth takes what is redirected to it", arguments: ["redirect", "frags_redirect"])
    func openedTarget(_ fixture: String) throws {
        try KernelNeed.check(fixture)
        let loss = try LossBench()
        let words = ["load", "tap", try Fixture.path(fixture), "--set", "target=\(loss.out)"]

        let refused = try loss.bench.checked(words)
        try loss.openEnd()
        let accepted = try loss.bench.checked(words)

        #expect(refused.status == 3)
        let remedy = try #require(refused.check("redirect-target")?.remedy)
        #expect(remedy.contains("oad any program on sink natively"))
        #expect(accepted.status == 0 && accepted.checks.isEmpty, "\(accepted.rules)")
        #expect(try loss.arrived() == 10)
    }

    @Test("GRO at the other end does as well, where the kernel says so")
    func groTarget() throws {
        try KernelNeed.netdevFamily.check()
        let loss = try LossBench()
        let words = ["load", "tap", try Fixture.path("redirect"), "--set", "target=\(loss.out)"]
        let refused = try loss.bench.checked(words)
        try loss.bench.namespace.run { try EthtoolSwitch.setGRO(true, of: "sink") }

        let accepted = try loss.bench.checked(words)

        #expect(refused.check("redirect-target")?.remedy?.hasPrefix("`ethtool -K sink gro on`") == true)
        #expect(accepted.status == 0, "\(accepted.rules)")
        #expect(try loss.arrived() == 10)
    }

    @Test("tx on a veth whose other end takes nothing from XDP")
    func transmit() throws {
        let loss = try LossBench()
        let words = ["load", "near", try Fixture.path("tx")]

        let forced = try loss.bench.checked(words + ["--force"])
        let lost = try loss.returned()
        try loss.unload("near")
        let refused = try loss.bench.checked(words)
        let text = try loss.bench.xdpctl(words)
        let generic = try loss.bench.checked(words + ["--mode", "generic"])
        let sentBack = try loss.returned()
        try loss.unload("near")
        try loss.openEnd("far")
        let accepted = try loss.bench.checked(words)

        #expect(forced.status == 0 && forced.rules == ["error tx"])
        #expect(lost == 0)
        #expect(refused.status == 3 && refused.rules == ["error tx"])
        #expect(refused.check("tx")?.evidence.first == "tx.c:7: return XDP_TX;")
        #expect(refused.check("tx")?.consequence == "packets answered tx are lost without a trace")
        #expect(text.status == 3)
        #expect(text.errors.contains("  error   tx               tx.c:7 sends packets back, and far cannot"))
        #expect(text.errors.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
        #expect(generic.status == 0 && generic.check("tx") == nil)
        #expect(sentBack == 10)
        #expect(accepted.status == 0 && accepted.checks.isEmpty)
        #expect(try loss.returned() == 10)
    }

    @Test("what a member's tail call leads to is judged as the member's own")
    func tailCall() throws {
        let loss = try LossBench()
        let words = ["load", "near", try Fixture.path("tail_tx"), "--program", "tail_tx"]

        let forced = try loss.bench.checked(words + ["--force"])
        let lost = try loss.returned()
        try loss.unload("near")
        let refused = try loss.bench.checked(words)
        // Its tx leads on, so it is nobody's.
        try loss.bench.load("pass")
        let harmless = try loss.bench.checked(words + ["--first", "--on", "tx=next"])
        try loss.unload("near")
        try loss.openEnd("far")
        let accepted = try loss.bench.checked(words)

        #expect(forced.status == 0 && forced.rules == ["error tx"], "\(forced)")
        #expect(lost == 0)
        #expect(refused.status == 3 && refused.rules == ["error tx"])
        #expect(refused.check("tx")?.subject == "tail_tx → tail_tx_callee")
        #expect(refused.check("tx")?.evidence.first == "tail_tx.c:19: return XDP_TX;")
        #expect(harmless.status == 0 && harmless.checks.isEmpty, "\(harmless)")
        #expect(accepted.status == 0 && accepted.checks.isEmpty, "\(accepted)")
        #expect(try loss.returned() == 10)
    }

    @Test("what is forced says on standard error what will happen")
    func forced() throws {
        let loss = try LossBench()

        let result = try loss.bench.xdpctl("load", "near", Fixture.path("tx"), "--force")

        #expect(result.status == 0)
        #expect(result.output == "near: tx (native mode)\n")
        #expect(result.errors.contains("so: packets answered tx are lost without a trace"), "\(result)")
    }

    @Test("redirect without a target")
    func nowhere() throws {
        let loss = try LossBench()
        let words = ["load", "tap", try Fixture.path("redirect_bare")]

        let forced = try loss.bench.checked(words + ["--force"])
        let lost = try loss.arrived(at: "tap")
        try loss.unload()
        let refused = try loss.bench.checked(words)
        let led = try loss.bench.checked(words + ["--on", "redirect=next"])
        let passed = try loss.bench.checked("load", "tap", Fixture.path("pass"))

        #expect(forced.status == 0 && forced.rules == ["error redirect-nowhere"])
        #expect(lost == 0)
        #expect(refused.status == 3 && refused.rules == ["error redirect-nowhere"])
        #expect(
            refused.check("redirect-nowhere")?.evidence.first == "redirect_bare.c:7: return XDP_REDIRECT;")
        // Nobody stands behind it yet, so the verdict is the packet's.
        #expect(led.status == 3)
        #expect(passed.status == 0)
        let joined = try loss.bench.checked(words + ["--on", "redirect=next", "--first"])
        #expect(joined.status == 0, "\(joined.rules)")
        #expect(try loss.arrived(at: "tap") == 10)
    }

    @Test("entries of a device map are targets like any other", arguments: ["devmap", "devmap_hash"])
    func deviceMap(_ fixture: String) throws {
        let loss = try LossBench()
        let empty = try loss.bench.checked("load", "tap", Fixture.path(fixture), "--pin-maps", loss.pins)
        let passed = try loss.arrived(at: "tap")
        try loss.fill("devices", of: fixture, at: fixture == "devmap" ? 0 : 7, with: loss.out)
        let lost = try loss.arrived()
        let words = [
            "load", "tap", try Fixture.path(fixture), "--name", "second", "--first", "--reuse-map",
            "devices=\(loss.pins)/devices",
        ]
        let refused = try loss.bench.checked(words)
        try loss.openEnd()
        let accepted = try loss.bench.checked(words)

        // What has no entry gets the fallback: pass with one, drop with the other.
        let losesWhenEmpty = fixture == "devmap_hash"
        #expect(empty.rules == [losesWhenEmpty ? "warning redirect-empty" : "note redirect-empty"])
        #expect(passed == (losesWhenEmpty ? 0 : 10))
        #expect(lost == 0)
        #expect(refused.status == 3)
        let check = try #require(refused.check("redirect-target"))
        let key = losesWhenEmpty ? 7 : 0
        #expect(check.evidence.contains { $0.hasPrefix("entry \(key) of devices is interface \(loss.out)") })
        #expect(accepted.status == 0, "\(accepted.rules)")
        #expect(try loss.arrived() == 10)
    }

    @Test("large packets redirected to an interface that takes one buffer only")
    func fragments() throws {
        try KernelNeed.check("frags")
        try KernelNeed.netdevFamily.check()
        let loss = try LossBench(mtu: 9000)
        let tap = try loss.index("tap")
        try loss.ip("link", "set", "tap", "mtu", "9000")
        let words = ["load", "near", try Fixture.path("frags_redirect"), "--set", "target=\(tap)"]

        let forced = try loss.bench.checked(words + ["--force"])
        let small = try loss.readAtTap(length: 1000)
        let large = try loss.readAtTap(length: 8000)
        try loss.unload("near")
        let refused = try loss.bench.checked(words)

        #expect(forced.status == 0 && forced.rules == ["error redirect-frags"], "\(forced.rules)")
        #expect(small == 10 && large == 0)
        #expect(refused.status == 3)
        #expect(refused.check("redirect-frags")?.remedy?.contains("Lower the MTU of near to 3506") == true)
        try loss.ip("link", "set", "near", "mtu", "3500")
        try loss.ip("link", "set", "far", "mtu", "3500")
        let accepted = try loss.bench.checked(words)
        #expect(accepted.status == 0, "\(accepted.rules)")
        #expect(try loss.readAtTap(length: 3400) == 10)
    }

    @Test("a cpumap in generic mode, on kernels that do not do that")
    func genericCPUMap() throws {
        let loss = try LossBench()
        let words = ["load", "tap", try Fixture.path("cpumap_drop"), "--mode", "generic"]

        let forced = try loss.bench.checked(words + ["--force"])
        try loss.fill("cpus", of: "cpumap_drop", at: 0, with: 192)
        let arrived = try loss.arrived(at: "tap")
        try loss.unload()
        let plain = try loss.bench.checked(words)

        if try KernelNeed.genericCPUMap.isMissing() {
            #expect(forced.check("generic-cpumap")?.severity == "error", "\(forced.rules)")
            #expect(arrived == 0)
            #expect(plain.status == 3)
            #expect(plain.check("generic-cpumap")?.remedy?.contains("Linux 5.15") == true)
        } else {
            #expect(forced.check("generic-cpumap") == nil)
            #expect(arrived == 10)
            #expect(plain.status == 0)
        }
        let native = try loss.bench.checked("load", "near", Fixture.path("cpumap_drop"))
        #expect(native.rules == ["warning redirect-empty"])
    }
}
