// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import Glibc
import Netlink
import TestSupport
import Testing

@testable import BPF

/// What a test needs of the kernel beyond Linux 5.10.
///
/// Whether it is there is tried, past our own linker and loader. The kernel's version is an oracle only: where
/// the kernel is new enough to have it the test runs, and fails if something is wrong.
struct KernelNeed: Sendable {
    /// What it is, as a user would call it.
    let what: String
    /// The kernel that brought it.
    let since: KernelVersion
    /// Whether it is there.
    let isMet: @Sendable () throws -> Bool

    /// The kernel lacks it, and may.
    func isMissing() throws -> Bool {
        try KernelVersion.running < since && !isMet()
    }

    /// Ends the test, or the one case of it, as skipped if the kernel lacks this.
    func check() throws {
        if try isMissing() { try Test.skip("this kernel has no \(what), which Linux \(since) brings") }
    }

    /// As the method without a fixture's name, for what fixtures need.
    static func check(_ fixtures: String...) throws {
        for fixture in fixtures { try missing(for: fixture)?.check() }
    }

    /// What this kernel lacks for a fixture; nil if nothing.
    static func missing(for fixture: String) throws -> KernelNeed? {
        guard let need = fixtures[fixture], try need.isMissing() else { return nil }
        return need
    }
}

extension KernelNeed {
    /// Fixtures that need more than Linux 5.10, as `Tests/Fixtures/README.md` says. libbpf alone has to open
    /// and load them.
    private static let fixtures: [String: KernelNeed] = [
        "stack_variable": ("stack accesses at variable offsets", "5.12"),
        "for_each": ("bpf_for_each_map_elem", "5.13"),
        "kfunc_weak": ("calls of kernel functions", "5.13"),
        "timer": ("timers", "5.15"),
        "loop": ("bpf_loop", "5.17"), "verdict_loop": ("bpf_loop", "5.17"),
        "frags": ("packets in several buffers (xdp.frags)", "5.18"),
        "frags_tail": ("packets in several buffers (xdp.frags)", "5.18"),
        "frags_redirect": ("packets in several buffers (xdp.frags)", "5.18"),
        "helper_recent": ("bpf_xdp_get_buff_len", "5.18"),
        "iterator": ("open-coded iterators", "6.4"),
        "modern": ("instructions of -mcpu=v4", "6.6"),
        "object_list": ("lists of objects", "6.6"),
        "throw": ("bpf_throw", "6.7"),
        "may_goto": ("may_goto", "6.9"),
    ].reduce(into: [:]) { needs, row in
        let (what, since) = row.value
        needs[row.key] = KernelNeed(what: what, since: KernelVersion(since)) { [name = row.key] in
            loads(try Fixture.path(name))
        }
    }

    /// What `rx_hash` asks the card for. It loads for a certain device only, so the kernel's type information is
    /// asked.
    static let metadata = KernelNeed(what: "metadata functions", since: "6.3") {
        guard let types = btf__load_vmlinux_btf() else { return false }
        defer { btf__free(types) }
        return btf__find_by_name(types, "bpf_xdp_metadata_rx_hash") > 0
    }

    static let testRunsWithMetadata = KernelNeed(what: "test runs with metadata", since: "5.15") {
        let image = ProgramImage(name: "probe", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let program = try Program.load(image).take()
        do throws(BPFError) {
            _ = try program.testRun([UInt8](repeating: 0, count: 60), metadata: [])
            return true
        } catch {
            guard error.errno == .invalidArgument else { throw error }
            return false
        }
    }

    /// What generic mode does with cpumaps; whether it does can only be seen in the kernel's type information.
    static let genericCPUMap = KernelNeed(what: "cpumaps in generic mode", since: "5.15") {
        guard let types = btf__load_vmlinux_btf() else { return false }
        defer { btf__free(types) }
        return btf__find_by_name(types, "cpu_map_generic_redirect") > 0
    }

    static let frags = KernelNeed(what: "packets in several buffers (xdp.frags)", since: "5.18") {
        var image = ProgramImage.passing("frags")
        image.supportsFrags = true
        return (try? Program.load(image).take()) != nil
    }

    static let compareExchange = KernelNeed(what: "compare-and-exchange", since: "5.12") {
        let image = ProgramImage(
            name: "probe",
            instructions: [
                .storeImmediate(.doubleWord, 0, to: .framePointer, offset: -8), .move(.r0, 0), .move(.r1, 1),
                .atomic(.compareExchange, .doubleWord, .r1, to: .framePointer, offset: -8),
                .move(.r0, 2), .exit,
            ], license: "GPL")
        return (try? Program.load(image).take()) != nil
    }

    static let netdevFamily = KernelNeed(what: "netdev family that tells what drivers can do", since: "6.3") {
        var socket = try GenericNetlink()
        do throws(NetlinkError) {
            _ = try socket.family(named: "netdev")
            return true
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return false
        }
    }

    static let vethQueues = KernelNeed(what: "changes of the queues of a veth", since: "5.15") {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        try route.createVeth("near", peer: "far", queues: 2)
        return try namespace.run {
            (try? EthtoolSwitch.setChannels(receive: 1, transmit: 1, of: "near")) != nil
        }
    }

    static let renamingWhileUp = KernelNeed(what: "renaming of interfaces that are up", since: "6.2") {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("before", peer: "peer").index
        try route.setUp(index)
        do throws(NetlinkError) {
            try route.rename(index, to: "after")
            return true
        } catch {
            guard error.errno == .resourceBusy else { throw error }
            return false
        }
    }

    /// Whether libbpf alone can load an object.
    static func loads(_ path: String) -> Bool {
        LibbpfLog.collecting {
            guard let object = bpf_object__open_file(path, nil) else { return false }
            defer { bpf_object__close(object) }
            return bpf_object__load(object) == 0
        }.result
    }
}
