// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import XDP

/// The dispatcher of libxdp, which other tools use to share the hook. Needs root and xdp-tools, and a kernel
/// that lets programs be replaced in parts (freplace).
@Suite("libxdp's dispatcher on the hook")
struct DispatcherTests {
    /// A bench on which xdp-loader has put two programs behind each other.
    private static func bench() throws -> ChainBench {
        guard ExtensionSupport.isThere else {
            try Test.skip("this kernel does not let libxdp replace a program's functions (freplace)")
        }
        let bench = try ChainBench()
        let load = try xdpLoader(
            bench, "load", "--mode", "native", "near", Fixture.path("pass"), Fixture.path("drop"))
        try #require(load.status == 0, "\(load)")
        return bench
    }

    /// Runs xdp-loader in the namespace, with the BPF file system of everybody.
    private static func xdpLoader(_ bench: ChainBench, _ words: String...) throws -> Subprocess.Result {
        try Subprocess.run("nsenter", ["--net=\(bench.path)", "xdp-loader"] + words)
    }

    @Test("its two programs run natively, and are there in status as somebody else's")
    func status() throws {
        let bench = try Self.bench()
        defer { _ = try? Self.xdpLoader(bench, "unload", "near", "--all") }

        let peer = try Self.xdpLoader(bench, "status", "near")
        let text = try bench.xdpctl("status", "near")
        let json = try bench.xdpctl("status", "near", "--json")
        let attached = try bench.namespace.run { try Interface(named: "near").link.xdp }

        #expect(peer.output.contains("pass") && peer.output.contains("drop"), "\(peer)")
        #expect(attached?.mode == .native)
        let id = try #require(attached?.programID)
        #expect(text.status == 0 && text.output.contains("\(id) xdp_dispatcher"), "\(text)")
        #expect(json.status == 0 && json.output.contains("\"foreign\""), "\(json)")
        #expect(json.output.contains("\"xdp_dispatcher\""), "\(json)")
    }

    @Test("a chain is refused beside it with the reason, nothing changes, and without it the chain loads")
    func refused() throws {
        let bench = try Self.bench()
        defer { _ = try? Self.xdpLoader(bench, "unload", "near", "--all") }
        let before = try bench.namespace.run { try Interface(named: "near").link.xdp?.programID }
        let members = try Self.xdpLoader(bench, "status", "near").output

        let (text, _, failure) = try bench.failingXDPControl(["load", "near", Fixture.path("counters")])
        let after = try bench.namespace.run { try Interface(named: "near").link.xdp?.programID }
        let same = try Self.xdpLoader(bench, "status", "near").output
        let unload = try Self.xdpLoader(bench, "unload", "near", "--all")
        try bench.load("counters")

        #expect(text.status == 3, "\(text)")
        #expect(failure.why.contains("xdp_dispatcher"), "\(failure)")
        #expect(failure.why.contains("xdpctl did not load"), "\(failure)")
        #expect(failure.remedy != nil)
        #expect(before != nil && before == after)
        #expect(members == same)
        #expect(unload.status == 0, "\(unload)")
        #expect(try bench.memberNames() == ["counters"])
    }
}
