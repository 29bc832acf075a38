// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import TestSupport
import Testing
import XDP

/// Native, generic, offload, auto. Needs root.
@Suite("Modes of chains on the kernel")
struct ChainModeTests {
    private static func withLink(_ kind: String) throws -> ChainBench {
        let bench = try ChainBench()
        var route = try RouteSocket(in: bench.namespace)
        try route.createLink("plain", kind: kind)
        return bench
    }

    private static func load(
        _ bench: ChainBench, _ interface: String, _ mode: ModeRequest?
    ) throws -> ChangeReport {
        let request = LoadRequest(path: try Fixture.path("pass"))
        return try bench.edit(interface) { editor throws(XDPError) in try editor.load([request], mode: mode) }
    }

    @Test("native is what one gets without asking")
    func standard() throws {
        let bench = try ChainBench()
        let report = try Self.load(bench, "near", nil)

        #expect(report.mode == .native && !report.fellBack)
        #expect(try bench.namespace.run { try Interface(named: "near").link.xdp?.mode } == .native)
    }

    @Test("where there is no native mode native is refused, with the remedy", arguments: ["bridge", "ifb"])
    func refused(_ kind: String) throws {
        let bench = try Self.withLink(kind)

        let error = bench.failure { try Self.load(bench, "plain", .native) }

        #expect(error?.kind == .refused)
        #expect(
            error?.why.contains("Underlying driver does not support XDP in native mode") == true,
            "\(error.debugText)")
        #expect(error?.remedy?.contains("The driver (\(kind)) has no native mode") == true)
        #expect(error?.remedy?.contains("--mode generic") == true)
        guard case .none = try bench.occupant("plain") else {
            Issue.record("something runs after all")
            return
        }
    }

    @Test("auto falls back where it has to, and says so", arguments: ["bridge", "ifb"])
    func fallsBack(_ kind: String) throws {
        let bench = try Self.withLink(kind)

        let report = try Self.load(bench, "plain", .auto)
        let status = try Subprocess.xdpctl("status", "plain", "--netns", bench.path)

        #expect(report.mode == .generic && report.fellBack)
        #expect(status.output.contains("generic mode (the driver has no native mode)"), "\(status)")
    }

    @Test("auto is native where there is native, and says nothing")
    func autoNative() throws {
        let bench = try ChainBench()
        let report = try Self.load(bench, "near", .auto)

        #expect(report.mode == .native && !report.fellBack)
    }

    @Test("generic works everywhere, and its counters do")
    func generic() throws {
        let bench = try ChainBench()
        let report = try Self.load(bench, "near", .generic)
        try bench.send([ChainBench.packet(for: .pass)])

        #expect(report.mode == .generic && !report.fellBack)
        #expect(try bench.counters(seeing: 1)["pass"]?[.pass].packets == 1)
    }

    @Test("offload is refused clearly where there is no card that could", arguments: ["pass", "counters"])
    func offload(_ fixture: String) throws {
        let bench = try ChainBench()

        let error = bench.failure { try bench.loadAll(fixture, mode: .offload) }

        #expect(error != nil)
        #expect(
            error?.remedy?.contains("The card cannot run programs itself; use native mode") == true,
            "\(error.debugText)")
        #expect(try bench.memberNames().isEmpty)
    }

    @Test("a chain has one mode; another one is refused, auto and the same are not")
    func conflict() throws {
        let bench = try ChainBench()
        try bench.load("drop")
        let error = bench.failure { try Self.load(bench, "near", .generic) }
        let report = try Self.load(bench, "near", .auto)

        #expect(error?.kind == .refused)
        #expect(error?.why.contains("attached in native mode, and an interface has one mode") == true)
        #expect(error?.remedy?.contains("Leave --mode away") == true)
        #expect(report.mode == .native)
    }

    @Test("an MTU too large for native mode is named, with what the kernel says and the remedy")
    func largeMTU() throws {
        try KernelNeed.check("frags")
        let bench = try ChainBench(mtu: 9000)

        let error = bench.failure { try bench.load("pass") }
        try bench.load("frags")

        #expect(error?.kind == .refused)
        #expect(error?.why.contains("Peer MTU is too large to set XDP") == true, "\(error.debugText)")
        #expect(error?.remedy?.contains("The MTU is 9000") == true)
        #expect(error?.remedy?.contains("xdp.frags") == true)
        #expect(try bench.memberNames() == ["frags"])
    }
}
