// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// What happens to the maps of members when their chain changes. Needs root.
@Suite("Maps of members over changes, on the kernel")
struct ChainMapTests {
    private static let passing = ChainBench.packet(for: .pass)

    @Test("members that stay keep their maps, by id and content, over every kind of change")
    func stay() throws {
        let bench = try ChainBench()
        try bench.loadAll("counters", "pass")
        let ids = try bench.chain().member("counters").mapIDs
        try bench.send([Self.passing, Self.passing])
        _ = try bench.counters(seeing: 2)

        try bench.load("drop", at: .first)
        try bench.edit { editor throws(XDPError) in try editor.move("drop", to: .last) }
        try bench.edit { editor throws(XDPError) in try editor.setEdges("counters", [.pass: .member("drop")])
        }
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.packets) }
        try bench.edit { editor throws(XDPError) in try editor.unload(["pass"]) }
        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 3)

        let active = try bench.chain()
        #expect(try active.member("counters").mapIDs == ids)
        #expect(try active.map(".bss", of: "counters").number() == 3)
        #expect(try active.map("protocols", of: "counters").sum(at: 17) == 3)
    }

    @Test("a replacement keeps the maps whose definition is unchanged, and says what became of each")
    func replacement() throws {
        let bench = try ChainBench()
        try bench.load("replace_v1", as: "it")
        let before = try bench.chain().member("it")
        try bench.send([Self.passing, Self.passing])
        _ = try bench.counters(seeing: 2)

        let path = try Fixture.path("replace_v2")
        let report = try bench.edit { editor throws(XDPError) in
            try editor.replace("it", with: LoadRequest(path: path))
        }
        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 3)

        let active = try bench.chain()
        #expect(try active.map("kept", of: "it").number() == 12)
        #expect(try active.map(".bss", of: "it").number() == 12)
        #expect(try active.map("changed", of: "it").number() == 10)
        #expect(try active.map("added", of: "it").number() == 10)
        let kept = before.unit.maps.firstIndex { $0.name == "kept" }.map { before.mapIDs[$0] }
        #expect(try active.map("kept", of: "it").id == kept)
        for note in [
            "kept: kept", "added: new", "removed: dropped, the new object does not have it",
            "changed: not kept, its values changed from 4 to 8 bytes",
        ] {
            #expect(report.notes.contains(note), "\(report.notes)")
        }
    }

    @Test("all maps of an object are pinned where the user says, and the pins outlive the member")
    func pinMaps() throws {
        let bench = try ChainBench()
        let directory = PinDirectory()
        try bench.load("replace_v1", as: "it") { $0.pinDirectory = directory.path }
        let names = BPFFileSystem.entries(of: directory.path)
        let ids = try bench.chain().member("it").mapIDs

        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 1)
        let report = try bench.edit { editor throws(XDPError) in try editor.unload(["it"]) }
        let pinned = try MapHandle(BPFMap(pinnedAt: directory.path + "/kept"))

        #expect(names == ["bss", "changed", "kept", "removed"])
        #expect(ids.contains(pinned.id))
        #expect(try pinned.number() == 1)
        #expect(report.notes.contains("kept stays pinned at \(directory.path)/kept"))
    }

    @Test("pins are remembered over a replacement that keeps their maps")
    func pinsOverReplacement() throws {
        let bench = try ChainBench()
        let directory = PinDirectory()
        try bench.load("replace_v1", as: "it") { $0.pinDirectory = directory.path }

        let path = try Fixture.path("replace_v2")
        try bench.edit { editor throws(XDPError) in try editor.replace("it", with: LoadRequest(path: path)) }

        let pins = try bench.chain().member("it").pins
        #expect(pins.contains(MapPin(map: "kept", path: directory.path + "/kept")))
        #expect(!pins.contains { $0.map == "changed" })
    }

    @Test("pins and programs are taken back when the change fails")
    func pinsRolledBack() throws {
        let bench = try ChainBench(mtu: 9000)
        let directory = PinDirectory()

        let error = bench.failure { try bench.load("counters") { $0.pinDirectory = directory.path } }

        #expect(error?.why.contains("Peer MTU is too large to set XDP") == true, "\(error.debugText)")
        #expect(BPFFileSystem.entries(of: directory.path).isEmpty)
        #expect(try bench.memberNames().isEmpty)
    }

    @Test("a map can be taken over by pin and by id", arguments: [true, false])
    func reuse(_ byPin: Bool) throws {
        let bench = try ChainBench()
        let directory = PinDirectory()
        try bench.load("replace_v1", as: "owner") { $0.pinDirectory = directory.path }
        let original = try bench.chain().map("kept", of: "owner")
        let id = original.id

        let report = try bench.load("replace_v1", as: "sharer") { request in
            request.reusedMaps["kept"] = byPin ? .pinned(directory.path + "/kept") : .id(id)
        }
        try bench.send([Self.passing])
        _ = try bench.counters(seeing: 1)

        #expect(try bench.chain().map("kept", of: "sharer").id == id)
        #expect(try original.number() == 2)
        #expect(report.notes.contains("kept: uses map \(id)"))
        let active = try bench.chain()
        #expect(try active.map("removed", of: "sharer").id != active.map("removed", of: "owner").id)
    }

    @Test("a map of another definition is not taken over, and the message shows both")
    func incompatible() throws {
        let bench = try ChainBench()
        try bench.load("replace_v1", as: "owner")
        let id = try bench.chain().map("changed", of: "owner").id
        let program = try bench.chain().programID

        let error = bench.failure {
            try bench.load("replace_v2", as: "sharer") { $0.reusedMaps["changed"] = .id(id) }
        }

        #expect(error?.why.contains("the object wants array, key 4 bytes, value 8 bytes, 4 entries") == true)
        #expect(error?.why.contains("the map is array, key 4 bytes, value 4 bytes, 4 entries") == true)
        #expect(try bench.chain().programID == program)
    }

    @Test("a map that is not there, by pin or by id, is an error that names it")
    func missing() throws {
        let bench = try ChainBench()
        let nowhere = "/sys/fs/bpf/xdp-test-no-such-map"
        let noPin = bench.failure {
            try bench.load("counters") { $0.reusedMaps["protocols"] = .pinned(nowhere) }
        }
        let noID = bench.failure {
            try bench.load("counters") { $0.reusedMaps["protocols"] = .id(4_000_000_000) }
        }
        let noMap = bench.failure { try bench.load("counters") { $0.reusedMaps["other"] = .id(1) } }

        #expect(noPin?.why.contains(nowhere) == true)
        #expect(noID?.why.contains("map 4000000000") == true)
        #expect(noMap != nil)
        #expect(try bench.memberNames().isEmpty)
    }

    @Test("variables are set before the load, in the kind that the source gives them")
    func variables() throws {
        let bench = try ChainBench()
        try bench.load("verdict") { request in
            request.variables = ["verdict": "0x1", "longest": "100", "label": "hello", "enabled": "true"]
        }

        try bench.send([
            .ethernet().padded(to: 60), .ethernet().padded(to: 100), .ethernet().padded(to: 101),
        ])
        let counters = try bench.counters(seeing: 3)
        let seen = try bench.chain().map(".bss", of: "verdict").number()

        #expect(counters["verdict"]?[.drop].packets == 2)
        #expect(counters["verdict"]?[.pass].packets == 1)
        #expect(seen == "hello".utf8.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    @Test("a map without a size gets the one that was asked for")
    func maximumEntries() throws {
        let bench = try ChainBench()
        let without = bench.failure { try bench.load("no_entries") }
        try bench.load("no_entries") { $0.maximumEntries["per_cpu_set_by_loader"] = 12 }

        #expect(without?.remedy?.contains("--max-entries per_cpu_set_by_loader=N") == true)
        let map = try bench.chain().map("per_cpu_set_by_loader", of: "no_entries")
        #expect(map.definition.maximumEntries == 12)
    }

    @Test("objects of the same source share nothing unless asked")
    func separate() throws {
        let bench = try ChainBench()
        try bench.load("counters", as: "one")
        try bench.load("counters", as: "two")
        let active = try bench.chain()

        #expect(Set(try active.member("one").mapIDs).isDisjoint(with: try active.member("two").mapIDs))
    }
}

/// A directory of the BPF file system with a name of its own, which goes with this value, pins and all.
final class PinDirectory: Sendable {
    let path = "/sys/fs/bpf/xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

    deinit {
        for name in BPFFileSystem.entries(of: path) { try? BPFFileSystem.unpin("\(path)/\(name)") }
        try? BPFFileSystem.removeDirectory(path)
    }
}
