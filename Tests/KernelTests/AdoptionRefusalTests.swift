// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Netlink
import TestSupport
import Testing

@testable import XDP

/// What cannot be adopted is left as it was. Needs root, bpftool and setpriv(1).
@Suite("Adoption that is refused")
struct AdoptionRefusalTests {
    /// Neither the hook is another one, nor is anything pinned that could keep the program or its link.
    private func expectUntouched(
        _ bench: ChainBench, _ body: () throws -> XDPError?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> XDPError? {
        let before = try bench.hook()
        let error = try body()
        #expect(try bench.hook() == before, sourceLocation: sourceLocation)
        if let link = before.link { #expect(!BPFPins.links().contains(link), sourceLocation: sourceLocation) }
        if let program = before.program {
            let holding = BPFPins.arrays().filter {
                PinKeeper.programs(inArrayPinnedAt: "\(BPFPins.directory)/array-\($0)").contains(program)
            }
            #expect(holding.isEmpty, sourceLocation: sourceLocation)
        }
        return error
    }

    @Test("nothing is attached")
    func nothing() throws {
        let bench = try ChainBench()
        let error = try expectUntouched(bench) { bench.failure { try bench.adopt() } }

        #expect(error?.kind == .refused && error?.why == "nothing is attached", "\(error.debugText)")
    }

    @Test("a chain is attached")
    func chain() throws {
        let bench = try ChainBench()
        try bench.load("pass")
        let before = try bench.hook()

        let error = bench.failure { try bench.adopt() }

        #expect(error?.kind == .refused && error?.why.contains("a chain already, of pass") == true)
        #expect(try bench.hook() == before)
    }

    @Test(
        "the name cannot be a member's",
        arguments: ["next", "a b", "", "-x", String(repeating: "x", count: 64)])
    func name(_ name: String) throws {
        let bench = try ChainBench()
        let stranger = try Stranger(bench)

        let error = try expectUntouched(bench) { bench.failure { try bench.adopt(as: name) } }

        #expect(error?.kind == .invalid, "\(error.debugText)")
        withExtendedLifetime(stranger) {}
    }

    @Test("the name is taken by the time that another joins")
    func taken() throws {
        let bench = try ChainBench()
        let stranger = try Stranger(bench)
        _ = try bench.adopt(as: "pass")
        let before = try bench.hook()

        let error = bench.failure { try bench.load("pass") }

        #expect(error?.kind == .refused && error?.remedy?.contains("--name") == true)
        #expect(try bench.hook() == before)
        withExtendedLifetime(stranger) {}
    }

    @Test(
        "the program is bound to its device, for metadata",
        .enabled(if: MetadataSupport.isThere, "this kernel has no programs bound to devices"))
    func deviceBound() throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "rx_hash", by: .bound)

        let error = try expectUntouched(bench) { bench.failure { try bench.adopt() } }

        #expect(
            error?.kind == .refused && error?.why.contains("bound to its device") == true,
            "\(error.debugText)")
        #expect(try bench.hook().program == owner.programID)
    }

    @Test(
        "a member without several buffers cannot join an adopted program that handles them",
        .enabled(if: KernelFeatures.hasFrags(), "this kernel has no packets of several buffers"))
    func frags() throws {
        let bench = try ChainBench()
        let stranger = try Stranger(bench, ForeignVariant(supportsFrags: true))
        _ = try bench.adopt()
        let before = try bench.hook()

        let error = bench.failure { try bench.load("pass") }

        #expect(error?.kind == .refused, "\(error.debugText)")
        #expect(
            error?.why.contains("foreign, loaded by somebody else, handles packets of several buffers")
                == true)
        #expect(try bench.hook() == before)
        try bench.load("frags")
        #expect(try bench.memberNames() == ["foreign", "frags"])
        withExtendedLifetime(stranger) {}
    }

    @Test("one program on two interfaces with two links: each is adopted by its own link")
    func twoInterfaces() throws {
        let bench = try ChainBench(withTAP: true)
        let stranger = try Stranger(bench)
        let copy = try Program(id: stranger.id)
        let tap = try bench.namespace.run { try Interface(named: "tap").index }
        let second = try bench.namespace.run {
            try XDPLink(attaching: copy, toInterface: tap, mode: .native)
        }
        let (near, other) = (try bench.hook("near"), try bench.hook("tap"))
        #expect(near.link != other.link && near.program == other.program)

        _ = try bench.adopt("tap")

        #expect(try bench.hook("near") == near)
        #expect(try bench.chain("tap").linkID == other.link)
        _ = try bench.adopt("near")
        #expect(try bench.chain("near").linkID == near.link)
        try bench.release("tap")
        try bench.release("near")
        #expect(try bench.hook("tap") == other)
        #expect(try bench.hook("near") == near)
        for link in [near.link, other.link] {
            try BPFFileSystem.unpin("\(BPFPins.directory)/link-\(try #require(link))")
        }
        withExtendedLifetime(second.descriptor.rawValue) {}
        withExtendedLifetime(stranger) {}
    }

    @Test("one program on equal numbers in two namespaces: refused with the reason, neither is touched")
    func equalNumbers() throws {
        let (here, there) = (try ChainBench(), try ChainBench())
        try #require(here.index == there.index)
        let stranger = try Stranger(here)
        let copy = try Program(id: stranger.id)
        let second = try there.namespace.run { [index = there.index] in
            try XDPLink(attaching: copy, toInterface: index, mode: .native)
        }

        let error = try expectUntouched(here) { here.failure { try here.adopt() } }

        #expect(error?.kind == .refused && error?.why.contains("different network namespaces") == true)
        // By netlink there is nothing to be taken for something else.
        #expect(try there.hook().program == stranger.id)
        withExtendedLifetime(second.descriptor.rawValue) {}
        withExtendedLifetime(stranger) {}
    }

    @Test(
        "a capability is missing",
        arguments: [["sys_admin"], ["net_admin", "sys_admin"], ["bpf", "sys_admin"]])
    func capability(_ dropped: [String]) throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass")
        let list = dropped.map { "-\($0)" }.joined(separator: ",")

        _ = try expectUntouched(bench) {
            let result = try Subprocess.run(
                "nsenter",
                [
                    "--net=\(bench.path)", "setpriv", "--bounding-set", list, "--inh-caps", list,
                    Subprocess.binary("xdpctl"), "adopt", "near",
                ])
            #expect(result.status == 1 && result.errors.contains("CAP_SYS_ADMIN"), "\(result)")
            return nil
        }
        #expect(try bench.hook().link == owner.linkID)
    }
}

/// Whether programs can be bound to a device without being offloaded (Linux 6.3), and veth has metadata.
enum MetadataSupport {
    static let isThere: Bool = {
        guard let types = try? TemporaryFile.contents(of: "/sys/kernel/btf/vmlinux") else { return false }
        let name = Array("bpf_xdp_metadata_rx_hash\0".utf8)
        var start = types.startIndex
        while let found = types[start...].firstIndex(of: name[0]) {
            if types[found...].starts(with: name) { return true }
            start = found + 1
        }
        return false
    }()
}
