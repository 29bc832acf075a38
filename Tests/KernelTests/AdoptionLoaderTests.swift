// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Glibc
import Packets
import TestSupport
import Testing

@testable import XDP

/// What the loaders attached that administrators have. Needs root, iproute2, bpftool and xdp-tools.
@Suite("Adoption from the usual loaders")
struct AdoptionLoaderTests {
    /// Adopts, lets a counter join in front, sends, and gives the program back.
    private func goThrough(
        _ bench: ChainBench, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: MemberCounters] {
        let before = try bench.hook()
        try #require(before.program != nil, sourceLocation: sourceLocation)

        let report = try bench.adopt()

        #expect(report.outcome == .adopted && report.mode == before.mode, sourceLocation: sourceLocation)
        let supportsFrags = try bench.chain().manifest.supportsFrags
        try bench.load(supportsFrags ? "frags" : "pass", as: "front", at: .first)
        let status = try bench.xdpctl("status", "near")
        #expect(status.status == 0 && status.output.contains("foreign"), "\(status)")
        try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 10))
        let counters = try bench.counters(seeing: 10)
        #expect(counters["front"]?[.pass].packets == 10, sourceLocation: sourceLocation)
        #expect(counters["foreign"]?.total.packets == 10, sourceLocation: sourceLocation)
        try bench.release(unloadingOthers: true)
        #expect(try bench.hook() == before, sourceLocation: sourceLocation)
        return counters
    }

    private func expect(_ result: Subprocess.Result, sourceLocation: SourceLocation = #_sourceLocation) throws
    {
        try #require(result.status == 0, "\(result)", sourceLocation: sourceLocation)
    }

    @Test(
        "libbpf's skeleton, system calls as Go and Rust make them, and libbpf's netlink",
        arguments: [ForeignLoader.Way.skeleton, .raw, .netlink])
    func libbpf(_ way: ForeignLoader.Way) throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "choose", by: way)

        #expect(try goThrough(bench)["foreign"]?[.drop].packets == 10)
        #expect(try bench.hook().program == owner.programID)
    }

    @Test("a loader that pinned its link and ended")
    func pinned() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "choose", by: .raw)
        let path = "/sys/fs/bpf/adoption-test-\(owner.linkID)"
        defer { try? BPFFileSystem.unpin(path) }
        #expect(owner.tell("pin", path).hasPrefix("ok"))
        owner.end()

        _ = try goThrough(bench)

        #expect(!BPFPins.links().contains(owner.linkID))
    }

    @Test("ip link set", arguments: ["xdp", "xdpdrv", "xdpgeneric"])
    func iproute(_ keyword: String) throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        let object = try Fixture.path("choose")
        try expect(shell.run("ip", "link", "set", "dev", "near", keyword, "obj", object, "sec", "xdp"))

        #expect(try goThrough(bench)["foreign"]?[.drop].packets == 10)

        try expect(shell.run("ip", "link", "set", "dev", "near", keyword, "off"))
        #expect(try bench.hook() == Hook())
    }

    @Test("ip link set … off takes a chain off that netlink holds")
    func iprouteOff() throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        let object = try Fixture.path("choose")
        try expect(shell.run("ip", "link", "set", "dev", "near", "xdpdrv", "obj", object, "sec", "xdp"))
        _ = try bench.adopt()

        let again = try shell.run("ip", "link", "set", "dev", "near", "xdpdrv", "obj", object, "sec", "xdp")
        let members = try bench.memberNames()
        let off = try shell.run("ip", "link", "set", "dev", "near", "xdpdrv", "off")

        #expect(again.status != 0 && members == ["foreign"], "\(again)")
        #expect(off.status == 0, "\(off)")
        #expect(try bench.hook() == Hook())
    }

    @Test("bpftool net attach", arguments: ["xdp", "xdpdrv", "xdpgeneric"])
    func bpftool(_ keyword: String) throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        try expect(shell.run("bpftool", "prog", "load", Fixture.path("choose"), "/sys/fs/bpf/program"))
        try expect(
            shell.run("bpftool", "net", "attach", keyword, "pinned", "/sys/fs/bpf/program", "dev", "near"))

        #expect(try goThrough(bench)["foreign"]?[.drop].packets == 10)

        try expect(shell.run("bpftool", "net", "detach", keyword, "dev", "near"))
        #expect(try bench.hook() == Hook())
    }

    @Test("xdp-loader without dispatcher, and it finds its program again", arguments: ["native", "skb"])
    func loader(_ mode: String) throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        try expect(shell.run("xdp-loader", "load", "near", "-m", mode, Fixture.path("choose")))
        let before = try shell.run("xdp-loader", "status", "near")
        guard try Self.canBeCalled(bench) else { return try expectRefused(bench, shell) }

        #expect(try goThrough(bench)["foreign"]?[.drop].packets == 10)

        #expect(try shell.run("xdp-loader", "status", "near").output == before.output)
        try expect(shell.run("xdp-loader", "unload", "near", "--all"))
        #expect(try bench.hook() == Hook())
    }

    @Test("xdp-filter, whose rules go on in a chain")
    func filter() throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        try expect(shell.run("xdp-filter", "load", "near", "-m", "native"))
        guard try Self.canBeCalled(bench) else { return try expectRefused(bench, shell) }
        _ = try bench.adopt()
        let supportsFrags = try bench.chain().manifest.supportsFrags
        try bench.load(supportsFrags ? "frags" : "pass", as: "front", at: .first)
        let packet = Packet.ethernet().ipv4().udp(to: 4242).padded(to: 60)

        try bench.send([packet])
        let passed = try bench.counters(seeing: 1)["foreign"]
        try expect(shell.run("xdp-filter", "port", "4242"))
        try bench.send([packet])
        try bench.send([packet])
        let deadline = eventually { (try? bench.counters(seeing: 1)["foreign"]?.total.packets) == 3 }
        let dropped = try bench.counters(seeing: 3)["foreign"]
        try bench.release(unloadingOthers: true)
        try expect(shell.run("xdp-filter", "unload", "near"))

        #expect(deadline && passed?[.pass].packets == 1 && dropped?[.drop].packets == 2)
        #expect(try bench.hook() == Hook())
    }

    @Test("xdp-filter does nothing to an adopted program, and forgets that it is there")
    func filterForgets() throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        try expect(shell.run("xdp-filter", "load", "near", "-m", "native"))
        guard try Self.canBeCalled(bench) else { return try expectRefused(bench, shell) }
        let before = try bench.hook()
        _ = try bench.adopt()
        let during = try bench.hook()

        let unload = try shell.run("xdp-filter", "unload", "near")

        #expect(unload.status != 0, "\(unload)")
        #expect(try bench.hook() == during)
        try bench.release()
        #expect(try bench.hook() == before)
        // It removed its note of the interface when it found another program there.
        #expect(try shell.run("xdp-filter", "unload", "near").status != 0)
        #expect(try bench.hook() == before)
    }

    @Test("xdpdump's own program, as long as it runs")
    func dump() throws {
        let bench = try ChainBench()
        let dump = try Subprocess(
            "nsenter",
            ["--net=\(bench.path)", "xdpdump", "-i", "near", "--load-xdp-program", "-w", "/dev/null"])
        defer {
            kill(dump.processID, SIGKILL)
            _ = try? dump.wait()
        }
        try #require(try eventually(within: 20) { try bench.hook().program != nil })
        // It attaches before it has what it needs to tell its program from others.
        usleep(500_000)
        guard try Self.canBeCalled(bench) else {
            let before = try bench.hook()
            let error = bench.failure { try bench.adopt() }
            #expect(error?.kind == .refused && error?.why.contains("freplace") == true, "\(error.debugText)")
            #expect(try bench.hook() == before)
            return
        }

        #expect(try goThrough(bench)["foreign"]?[.pass].packets == 10)

        kill(dump.processID, SIGINT)
        #expect(try eventually(within: 20) { try bench.hook() == Hook() })
    }

    @Test(
        "a dispatcher with programs in it: called where the kernel can, else refused with the reason",
        .enabled(if: ExtensionSupport.isThere, "this kernel forbids freplace"))
    func dispatcher() throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        try expect(
            shell.run(
                "xdp-loader", "load", "near", "-m", "native", Fixture.path("pass"), Fixture.path("choose")))
        guard try Self.canBeCalled(bench, isSingle: false) else { return try expectRefused(bench, shell) }
        let before = try shell.run("xdp-loader", "status", "near")

        #expect(try goThrough(bench)["foreign"]?[.drop].packets == 10)

        #expect(try shell.run("xdp-loader", "status", "near").output == before.output)
        // The dispatcher's own later changes are of a new dispatcher, which takes the hook.
        _ = try bench.adopt()
        let more = try shell.run("xdp-loader", "load", "near", "-m", "native", Fixture.path("counters"))
        let unload = try shell.run("xdp-loader", "unload", "near", "--all")
        #expect(more.status != 0, "\(more)")
        print("xdp-loader unload --all against an adopted dispatcher: \(unload), then \(try bench.hook())")
    }

    /// Whether this kernel lets anything call the program on `near`: since 6.13 not if parts of it are
    /// replaced, and never if the whole is, as libxdp does with a single program where it can.
    private static func canBeCalled(_ bench: ChainBench, isSingle: Bool = true) throws -> Bool {
        if isSingle, ExtensionSupport.isThere { return false }
        // Linux before 5.13 does not tell which it is.
        if try ExtensionLink.all().contains(where: { $0.targetID == 0 }), !isSingle { return false }
        guard let id = try bench.hook().program else { return false }
        let array = try MapHandle(BPFMap.programArray("adoption_test", places: 1))
        let program = try Program(id: id)
        do throws(BPFError) {
            try array.map.setProgram(program, at: 0)
            return true
        } catch {
            #expect(error.errno == .resourceBusy)
            #expect(ExtensionSupport.isThere)
            return false
        }
    }

    private func expectRefused(_ bench: ChainBench, _ shell: ForeignShell) throws {
        let before = try bench.hook()

        let error = bench.failure { try bench.adopt() }

        #expect(error?.kind == .refused && error?.why.contains("freplace") == true, "\(error.debugText)")
        #expect(error?.remedy?.contains("xdp-loader unload") == true)
        #expect(try bench.hook() == before)
        try expect(shell.run("xdp-loader", "unload", "near", "--all"))
    }
}
