// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Packets
import Synchronization
import TestSupport
import Testing
import XDP

/// A program of others is adopted and released under load, with every packet accounted for. Needs root.
@Suite("Adoption under traffic")
struct AdoptionTrafficTests {
    @Test(
        "each packet meets the program exactly once, however often it is adopted and released",
        arguments: [ForeignLoader.Way.skeleton, .netlink])
    func everyPacket(_ way: ForeignLoader.Way) throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "counters", by: way)
        let before = try bench.hook()
        let map = try #require(
            try Program(id: owner.programID).mapIDs().lazy.map { try MapHandle(id: $0) }
                .first { $0.definition.name == "protocols" })
        let sender = PacketSender(bench)

        for round in 0..<40 {
            let adopted = try bench.adopt()
            #expect(adopted.outcome == .adopted && adopted.retries == 0)
            try bench.load("pass", as: "mine", at: .last)
            try bench.edit { editor throws(XDPError) in try editor.move("mine", to: .first) }
            try bench.release(unloadingOthers: true)
            #expect(try bench.hook() == before, "round \(round)")
        }
        let sent = sender.finish()
        let refused = try sender.refused()

        // The ring of a veth holds 256 packets; what did not fit never arrived, and the device says so.
        let arrived = sent - refused
        _ = try eventually { try map.sum(at: 17) >= arrived }
        #expect(try map.sum(at: 17) == arrived)
        #expect(sent > 500)
        #expect(refused < sent)
        owner.end()
    }
}

/// A thread that sends packets without an end, and counts them.
final class PacketSender: Sendable {
    private let bench: ChainBench
    private let isOver = Atomic(false)
    private let hasEnded = Atomic(false)
    private let sent = Atomic(0)

    init(_ bench: ChainBench) {
        self.bench = bench
        let thread = Thread { [self] in
            let batch = [Packet](repeating: ChainBench.packet(for: .pass), count: 32)
            while !isOver.load(ordering: .acquiring) {
                if (try? bench.send(batch)) != nil { sent.add(batch.count, ordering: .relaxed) }
                usleep(500)
            }
            hasEnded.store(true, ordering: .releasing)
        }
        thread.start()
    }

    /// Ends it; gives how many packets it sent.
    func finish() -> UInt64 {
        isOver.store(true, ordering: .releasing)
        _ = eventually { hasEnded.load(ordering: .acquiring) }
        return UInt64(sent.load(ordering: .relaxed))
    }

    /// Packets that `far` could not hand over.
    func refused() throws -> UInt64 {
        let text = try bench.namespace.run {
            String(decoding: try TemporaryFile.contents(of: "/proc/thread-self/net/dev"), as: UTF8.self)
        }
        let line = try #require(text.split(separator: "\n").first { $0.contains("far:") })
        return try #require(UInt64(line.split(separator: " ", omittingEmptySubsequences: true)[12]))
    }
}
