// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Packets
import Synchronization
import TestSupport
import Testing
import XDP

/// Changes under load, with every packet accounted for. Needs root.
@Suite("Changes under traffic")
struct LiveTrafficTests {
    @Test("in a thousand changes no packet escapes a member, and none is seen twice")
    func thousandChanges() throws {
        let bench = try ChainBench()
        let built = try bench.namespace.run {
            try ["c1", "a", "b"].map { name in
                var request = LoadRequest(path: try Fixture.path("counters"))
                request.name = name
                return try MemberBuilder().build(request)
            }
        }
        try bench.edit { editor throws(XDPError) in
            try editor.change("The start", resources: built.flatMap(\.maps)) { chain throws(XDPError) in
                for member in built.prefix(2) { try chain.insert(member.member, at: .last) }
                return []
            }
        }
        try bench.load("drop", as: "c2", at: .last)
        let maps = built.flatMap(\.maps)
        let isOver = Atomic(false)
        let sent = Atomic(0)
        let sender = Thread {
            let batch = [Packet](repeating: ChainBench.packet(for: .pass), count: 32)
            while !isOver.load(ordering: .acquiring) {
                if (try? bench.send(batch)) != nil { sent.add(batch.count, ordering: .relaxed) }
                usleep(500)
            }
            sent.add(1 << 40, ordering: .releasing)
        }
        sender.start()

        for round in 0..<1000 {
            let (old, new) = round % 2 == 0 ? ("a", 2) : ("b", 1)
            try bench.edit { editor throws(XDPError) in
                try editor.change("Round \(round)", resources: maps) { chain throws(XDPError) in
                    try chain.insert(built[new].member, at: .after("c1"))
                    try chain.remove(old)
                    return []
                }
            }
        }
        isOver.store(true, ordering: .releasing)
        #expect(eventually { sent.load(ordering: .acquiring) >= 1 << 40 })
        let total = UInt64(sent.load(ordering: .relaxed) - 1 << 40)
        // The ring of a veth holds 256 packets; what did not fit never arrived, and the device says so.
        let refused = try Self.refused(bench)
        _ = try bench.counters(seeing: total - refused)

        let active = try bench.chain()
        let seen = try built.map { built in
            let place = try #require(built.member.unit.maps.firstIndex { $0.name == "protocols" })
            return try built.maps[place].sum(at: 17)
        }
        let counted = try active.counters()
        #expect(active.manifest.generation == 1002)
        #expect(total > 10_000)
        #expect(refused < total / 100)
        #expect(seen[0] == total - refused)
        #expect(seen[1] + seen[2] == seen[0])
        #expect(seen[1] > 0 && seen[2] > 0)
        #expect(counted?.first?[.pass].packets == seen[0])
        #expect(counted?.last?[.drop].packets == seen[0])
    }

    /// Packets that `far` could not hand over.
    static func refused(_ bench: ChainBench) throws -> UInt64 {
        let text = try bench.namespace.run {
            String(decoding: try TemporaryFile.contents(of: "/proc/thread-self/net/dev"), as: UTF8.self)
        }
        let line = try #require(text.split(separator: "\n").first { $0.contains("far:") })
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        return try #require(UInt64(fields[12]))
    }
}
