// SPDX-License-Identifier: Apache-2.0
import Bytecode
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

@testable import BPF

/// Pins that nobody needs, in a BPF file system of their own: other tests sweep the machine's. Needs root.
@Suite("Stale pins")
struct StalePinTests {
    @Test(
        "links without an interface and arrays without a program are stale; lost chains and what is used are not"
    )
    func stale() throws {
        let bench = try ChainBench()
        let shell = try ForeignShell(bench)
        let fileSystem = BPFFileSystem(root: shell.pins)
        let directory = fileSystem.root + "/xdpctl"
        try BPFFileSystem.makeDirectories(directory)

        // A chain and a program of others, on two veth pairs, each with its link pinned.
        try bench.load("pass")
        let chainLink = try #require(try bench.chain().linkID)
        try XDPLink.open(id: chainLink)?.pin(at: "\(directory)/link-\(chainLink)")
        var route = try RouteSocket(in: bench.namespace)
        let other = try route.createVeth("other", peer: "wire").index
        let stranger = try Stranger(bench, on: other)
        try stranger.link?.pin(at: "\(directory)/link-1")
        // An array that a program uses, and one that none does.
        let used = try MapHandle(BPFMap.programArray("used", places: 1))
        try used.map.pin(at: "\(directory)/array-\(used.id)")
        let user = try Program.load(
            ProgramImage(name: "user", instructions: [.move(.r0, 2), .exit], license: "GPL")
        ).take()
        try user.bind(used.map)
        let unused = try MapHandle(BPFMap.programArray("unused", places: 1))
        try unused.map.pin(at: "\(directory)/array-\(unused.id)")

        let attached = Self.stale(fileSystem)
        for index in [bench.index, other] { try route.deleteLink(index) }
        let detached = Self.stale(fileSystem)

        #expect(attached == ["array-\(unused.id)"])
        #expect(detached == ["array-\(unused.id)", "link-1"])
        #expect(LostChain.all(in: fileSystem).map(\.linkID) == [chainLink])
        // What was made a moment ago may belong to a change that is on its way.
        #expect(StalePin.all(in: fileSystem).isEmpty)
        withExtendedLifetime(user) {}
    }

    private static func stale(_ fileSystem: BPFFileSystem) -> [String] {
        StalePin.all(in: fileSystem, olderThan: -1).map { pin in
            pin.path.split(separator: "/").last.map(String.init) ?? ""
        }.sorted()
    }
}
