// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import Observe
import Packets
import Testing
import XDP

/// What the kernel tells of cpumaps, which belong to no network namespace. Needs root.
@Suite("XDP events of cpumaps")
struct ObserveCPUMapTests {
    @Test("a cpumap whose queue is full, and one that works")
    func cpumap() throws {
        let loss = try LossBench()
        _ = try ObserveEventTests.load(loss, "cpumap")
        let map = try loss.bench.chain("tap").map("cpus", of: "cpumap")
        // One place in the queue.
        try map.map.update([0, 0, 0, 0], to: [1, 0, 0, 0, 0, 0, 0, 0])
        let id = map.id

        let events = try ObserveEventTests.events(
            loss.bench, kinds: [.cpumapEnqueue, .cpumapRun], of: ["tap"], successes: true, count: 21,
            settling: .milliseconds(500)
        ) {
            for _ in 0..<20 { try loss.bench.tap?.write(LossBench.packet) }
        }

        let queued = events.filter { $0.key.kind == .cpumapEnqueue }
        #expect(queued.allSatisfy { $0.key.map == id && $0.key.mapType == 16 && $0.key.cpu == 0 })
        #expect(queued.reduce(0) { $0 + $1.sent + $1.dropped } == 20, "\(events)")
        let run = events.filter { $0.key.kind == .cpumapRun }
        #expect(run.allSatisfy { $0.key.map == id && $0.key.cpu == 0 })
        // Before Linux 5.13 what the stack did not want counts as dropped.
        #expect(run.reduce(0) { $0 + $1.sent + $1.dropped } == queued.reduce(0) { $0 + $1.sent })
    }

    @Test("a cpumap that an interface gets while that of another one is busy is not overlooked")
    func laterCPUMap() throws {
        let loss = try LossBench()
        let other = try LossBench()
        @Sendable func hand(_ loss: LossBench) throws -> UInt32 {
            _ = try ObserveEventTests.load(loss, "cpumap")
            let map = try loss.bench.chain("tap").map("cpus", of: "cpumap")
            try map.map.update([0, 0, 0, 0], to: [192, 0, 0, 0, 0, 0, 0, 0])
            try loss.bench.tap?.write(LossBench.packet)
            return map.id
        }
        let tap = try loss.index("tap")

        try loss.bench.namespace.run {
            let watch = try XDPEventWatch([.cpumapEnqueue], interfaces: [tap], successes: true)
            _ = try hand(other)
            #expect(try watch.read(milliseconds: 100).isEmpty)
            let id = try hand(loss)
            var sent: UInt64 = 0
            let isTold = try eventually {
                let events = try watch.read(milliseconds: 100)
                #expect(events.allSatisfy { $0.key.map == id })
                sent += events.reduce(0) { $0 + $1.sent }
                return sent > 0
            }
            #expect(isTold && sent == 1)
        }
    }
}
