// SPDX-License-Identifier: Apache-2.0
import BPF
import Packets
import TestSupport
import Testing
import XDP

/// LIBBPF_PIN_BY_NAME, which has one place on the machine: these tests run one after the other. Needs root.
@Suite("Maps that objects pin by name, on the kernel", .serialized)
struct ChainPinByNameTests {
    private static let path = "/sys/fs/bpf/xdp_fixture_pinned"

    @Test("a map pinned by name is shared by all that name it, and outlives them")
    func shared() throws {
        let bench = try ChainBench()
        try? BPFFileSystem.unpin(Self.path)
        defer { try? BPFFileSystem.unpin(Self.path) }

        try bench.load("pinned", as: "one")
        let report = try bench.load("pinned", as: "two")
        try bench.send([ChainBench.packet(for: .pass)])
        _ = try bench.counters(seeing: 1)
        let active = try bench.chain()
        try bench.edit { editor throws(XDPError) in try editor.unload(nil) }

        #expect(try active.map("xdp_fixture_pinned", of: "one").number() == 2)
        #expect(report.notes.contains("xdp_fixture_pinned: uses the map pinned at \(Self.path)"))
        #expect(try BPFMap(pinnedAt: Self.path).information().id == active.member("one").mapIDs.first)
    }

    @Test("something else at the place is refused, and left alone")
    func incompatible() throws {
        let bench = try ChainBench()
        try? BPFFileSystem.unpin(Self.path)
        let stranger = try MapHandle(
            MapDefinition(name: "stranger", type: .hash, keySize: 4, valueSize: 16, maximumEntries: 3))
        try stranger.map.pin(at: Self.path)
        defer { try? BPFFileSystem.unpin(Self.path) }

        let error = bench.failure { try bench.load("pinned") }

        #expect(error?.why.contains("the map is hash, key 4 bytes, value 16 bytes, 3 entries") == true)
        #expect(try BPFMap(pinnedAt: Self.path).information().id == stranger.id)
        #expect(try bench.memberNames().isEmpty)
    }

    @Test("a directory that the user names wins over the place that the object names")
    func directory() throws {
        let bench = try ChainBench()
        try? BPFFileSystem.unpin(Self.path)
        let directory = PinDirectory()

        try bench.load("pinned") { $0.pinDirectory = directory.path }

        #expect(BPFFileSystem.entries(of: directory.path) == ["xdp_fixture_pinned"])
        #expect(!BPFFileSystem.exists(Self.path))
    }
}
