// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// Samples of what all sides count. Needs root.
@Suite("Samples of counters")
struct ObserveSamplerTests {
    /// Samples one interface of a bench, again and again, where its sockets are.
    static func sample(_ bench: ChainBench, _ name: String) throws -> InterfaceSample {
        try bench.namespace.run { () throws(XDPError) -> InterfaceSample in
            var sampler = try InterfaceSampler()
            return try sampler.sample(try Interface(named: name))
        }
    }

    @Test("a sample has what the chain, the stack and the driver counted")
    func sides() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let before = try Self.sample(bench, "near")

        try bench.send([Packet](repeating: ChainBench.packet(for: .pass, length: 80), count: 5))
        try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 7))
        _ = try bench.counters(seeing: 12)
        let after = try Self.sample(bench, "near")

        #expect(after.driver == "veth" && after.mode == .native && after.interface == "near")
        #expect(after.members?.map(\.name) == ["choose", "pass"])
        #expect(after.member("choose")?.counters[.pass] == Counter(packets: 5, bytes: 400))
        #expect(after.member("choose")?.endings == [.aborted, .drop, .tx, .redirect])
        #expect(after.member("pass")?.endings == Set(Verdict.allCases))
        let received =
            try #require(after.stackCounter("rx_packets")) - #require(before.stackCounter("rx_packets"))
        #expect(received == 12)
        let dropped = after.driverCounters.filter { $0.name.hasSuffix("_xdp_drops") }.reduce(0) {
            $0 + $1.value
        }
        #expect(dropped == 7, "\(after.driverCounters)")
        #expect(after.time > before.time && after.generation == before.generation)
    }

    @Test("a sampler follows changes of the chain, and an interface without a program has no members")
    func changes() throws {
        let bench = try ChainBench(withTAP: true)
        try bench.namespace.run {
            var sampler = try InterfaceSampler()
            let tap = try Interface(named: "tap")
            #expect(try sampler.sample(tap).members == nil && sampler.sample(tap).programID == nil)

            let editor = ChainEditor(tap)
            _ = try editor.load([LoadRequest(path: try Fixture.path("choose"))])
            try bench.tap?.write(ChainBench.packet(for: .drop))
            let one = try sampler.sample(tap)
            _ = try editor.load([LoadRequest(path: try Fixture.path("pass"))])
            try bench.tap?.write(ChainBench.packet(for: .drop))
            let two = try sampler.sample(tap)
            _ = try editor.setCounters(.off)
            let off = try sampler.sample(tap)
            _ = try editor.unload(nil)
            let none = try sampler.sample(tap)

            #expect(one.members?.map(\.name) == ["choose"] && one.members?[0].counters[.drop].packets == 1)
            #expect(two.members?.map(\.name) == ["choose", "pass"])
            #expect(two.members?[0].counters[.drop].packets == 2)
            #expect(two.programID != one.programID && two.stackCounter("rx_dropped") == 2)
            #expect(off.members == nil && off.counting == .off && off.generation == 3)
            #expect(none.members == nil && none.counting == nil && none.mode == nil)
        }
    }

    @Test("names are read anew when a driver counts more than before")
    func moreCounters() throws {
        try KernelNeed.vethQueues.check()
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        _ = try route.createVeth("wide", peer: "other", queues: 4)
        try namespace.run {
            try EthtoolSwitch.setChannels(receive: 1, transmit: 1, of: "wide")
            var sampler = try InterfaceSampler()
            let wide = try Interface(named: "wide")
            let one = try sampler.sample(wide).driverCounters
            try EthtoolSwitch.setChannels(receive: 4, transmit: 4, of: "wide")
            let four = try sampler.sample(wide).driverCounters

            #expect(one.contains { $0.name == "rx_queue_0_xdp_packets" })
            #expect(four.count > one.count && four.contains { $0.name == "rx_queue_3_xdp_packets" })
            #expect(!four.contains { $0.name.isEmpty })
        }
    }

    @Test("an interface that is gone is an error, and left out where all are asked for")
    func gone() throws {
        let bench = try ChainBench(withTAP: true)
        try bench.namespace.run {
            var sampler = try InterfaceSampler()
            let near = try Interface(named: "near")
            let all = try sampler.sampleAll().map(\.interface)
            var route = try RouteSocket()
            try route.deleteLink(near.index)
            let error = #expect(throws: XDPError.self) { try sampler.sample(near) }
            let rest = try sampler.sampleAll().map(\.interface)

            #expect(all.contains("near") && all.contains("far") && all.contains("tap") && all.contains("lo"))
            #expect(error?.why.contains("gone") == true)
            #expect(rest.contains("tap") && !rest.contains("near") && !rest.contains("far"))
        }
    }

    @Test("no counter goes backwards while the chain is changed under a sampler's eyes")
    func monotonic() throws {
        let bench = try ChainBench(withTAP: true)
        try bench.namespace.run {
            var sampler = try InterfaceSampler()
            let tap = try Interface(named: "tap")
            let editor = ChainEditor(tap)
            let (choose, pass) = (try Fixture.path("choose"), try Fixture.path("pass"))
            _ = try editor.load([LoadRequest(path: choose)])
            var last: [Counter] = []
            var sent: UInt64 = 0
            for round in 0..<12 {
                for verdict in [Verdict.drop, .pass, .aborted] {
                    try bench.tap?.write(ChainBench.packet(for: verdict))
                    sent += 1
                }
                let values = try #require(try sampler.sample(tap).member("choose")).counters.values
                for (old, new) in zip(last, values) {
                    #expect(new.packets >= old.packets && new.bytes >= old.bytes, "round \(round)")
                }
                last = values
                switch round % 4 {
                case 0: _ = try editor.load([LoadRequest(path: pass)])
                case 1: _ = try editor.move("pass", to: .first)
                case 2: _ = try editor.replace("choose", with: LoadRequest(path: choose))
                default: _ = try editor.unload(["pass"])
                }
                let between = try #require(try sampler.sample(tap).member("choose")).counters.values
                #expect(between == last, "round \(round)")
            }
            #expect(last.reduce(0) { $0 + $1.packets } == sent)
        }
    }
}
