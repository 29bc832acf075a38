// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Netlink

/// Keeps the benchmarks to themselves: interfaces and pins that nobody else sees, and that end with the
/// process.
enum Sandbox {
    /// The name of the interface that programs are attached to.
    static let interface = "bench0"

    /// Gives the process, and so its children, a BPF file system of its own. Objects that pin their maps by
    /// name leave nothing behind there, and find nothing that others left.
    static func enterFileSystem() throws {
        let path = "/sys/fs/bpf"
        guard unshare(CBPF_CLONE_NEWNS) == 0 else { throw BenchmarkError("unshare: errno \(errno)") }
        guard mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0 else {
            throw BenchmarkError("mount: errno \(errno)")
        }
        guard mount("bpf", path, "bpf", 0, "mode=0700") == 0 else {
            throw BenchmarkError("no BPF file system can be mounted at \(path): errno \(errno)")
        }
    }

    /// Enters a network namespace with a pair of interfaces for the rest of the process. Children inherit it
    /// together with the file system, which they would not under `ip netns exec`.
    static func enterNetwork() throws {
        let namespace = try NetworkNamespace.makePrivate()
        try namespace.enter()
        var route = try RouteSocket()
        let near = try route.createVeth(interface, peer: "bench1")
        try route.setUp(near.index)
        try route.setUp(try route.link(named: "bench1").index)
    }
}
