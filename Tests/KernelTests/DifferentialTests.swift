// SPDX-License-Identifier: Apache-2.0
import BPF
import Packets
import TestSupport
import Testing

@testable import XDP

/// Random chains against their members run one by one. Needs root, and the packages xdp-tools and libxdp1.
@Suite("Chains against their members")
struct DifferentialTests {
    /// The members of a chain, twice: linked, and each for itself.
    private struct Pair {
        var chain = Chain()
        var maps: [String: [MapHandle]] = [:]
        var solos: [SoloProgram] = []
    }

    /// How a chain is put together.
    enum Way: CaseIterable {
        case plain, counted, called, calledAndCounted, isolated, segmented, isolatedSegmentedAndCounted
        case watched, watchedCalledAndCounted, watchedIsolatedSegmentedAndCounted

        var counts: Bool {
            [
                .counted, .calledAndCounted, .isolatedSegmentedAndCounted, .watchedCalledAndCounted,
                .watchedIsolatedSegmentedAndCounted,
            ].contains(self)
        }
        var calls: Bool { [.called, .calledAndCounted, .watchedCalledAndCounted].contains(self) }
        var isolates: Bool {
            [.isolated, .isolatedSegmentedAndCounted, .watchedIsolatedSegmentedAndCounted].contains(self)
        }
        var cuts: Bool {
            [.segmented, .isolatedSegmentedAndCounted, .watchedIsolatedSegmentedAndCounted].contains(self)
        }
        /// By a tap at every point.
        var watches: Bool {
            [.watched, .watchedCalledAndCounted, .watchedIsolatedSegmentedAndCounted].contains(self)
        }
    }

    @Test(
        "verdicts, bytes, metadata, counters and maps are the same", arguments: Amount.seeds, Way.allCases)
    func differential(seed: UInt64, way: Way) throws {
        var random = SeededGenerator(seed: seed * 8 + UInt64(Way.allCases.firstIndex(of: way) ?? 0))
        let packets = PacketGenerator(seed: random.next()).prefix(80).map(\.bytes)
        var pair = try build(Int.random(in: 2...8, using: &random), packets, using: &random)
        let tap = way.watches ? try KernelTap("tap") : nil
        if let tap {
            pair.chain.taps = [tap.tap(.all)]
            try pair.chain.settleTaps()
            pair.maps["tap"] = tap.maps
        }
        let mode: CounterMode = way.counts ? .bytes : .off
        let loaded =
            way.isolates || way.cuts
            ? try load(pair, counters: mode, way, using: &random)
            : try load(pair, counters: mode, calls: way.calls, using: &random)
        let label = pair.chain.members.map(\.name).joined(separator: " ")
        let withMetadata = try !KernelNeed.testRunsWithMetadata.isMissing()
        var expected = [MemberCounters](repeating: MemberCounters(), count: pair.chain.members.count)

        for packet in packets {
            let reference = try walk(
                pair, packet, &expected, countsBytes: mode == .bytes, withMetadata: withMetadata)
            let run = try loaded.testRun(packet, metadata: withMetadata ? [] : nil)
            #expect(run.verdict == reference.verdict, "\(label)")
            #expect(run.packet == reference.packet, "\(label)")
            #expect(run.metadata == reference.metadata, "\(label)")
            if let tap {
                let seen = try tap.sights(pair.chain.taps[0].points)
                let segments = loaded.chain.members.indices.map { loaded.linked.compositions[$0].segment }
                #expect(seen == Self.sights(pair.chain, reference.way, segments: segments), "\(label)")
            }
        }

        if mode == .bytes { #expect(try loaded.counters() == expected, "\(label)") }
        for (member, solo) in zip(pair.chain.members, pair.solos) {
            for (place, map) in member.unit.maps.enumerated() {
                guard let handle = loaded.maps[member.name]?[place] else { continue }
                let difference = try DifferentialMaps.difference(handle, solo.maps[place], packets)
                #expect(difference == nil, "\(map.name) of \(member.name) in \(label)")
            }
        }
    }

    /// What a tap at every point has to see of a packet on its way.
    private static func sights(
        _ chain: Chain, _ way: [(place: Int, verdict: UInt32)], segments: [Int]
    ) -> [KernelTap.Sight] {
        var seen: [KernelTap.Sight] = []
        var found: UInt64 = 0
        func meet(_ kind: TapPoint.Kind, _ member: String, _ verdict: UInt32 = Tap.noVerdict) {
            seen.append(
                KernelTap.Sight(point: TapPoint(kind, member: member), verdict: verdict, found: found))
            found += 1
        }
        meet(.start, "")
        for (step, (place, verdict)) in way.enumerated() {
            let name = chain.members[place].name
            if step > 0, segments[way[step - 1].place] != segments[place] { found = 0 }
            meet(.entry, name)
            meet(.exit, name, verdict)
            if step == way.count - 1 { meet(.end, name, verdict) }
        }
        return seen
    }

    private func build(
        _ count: Int, _ packets: [[UInt8]], using random: inout SeededGenerator
    ) throws -> Pair {
        let requests = try DifferentialPool.requests()
        var pair = Pair()
        var builder = MemberBuilder()
        builder.othersSupportFrags = false
        for place in 0..<count {
            // The packaged objects are few; half of the members are theirs all the same.
            let packaged = requests.filter { $0.path.hasPrefix("/usr/lib/") }
            let choice = Bool.random(using: &random) ? packaged : requests
            var request = choice[Int.random(in: 0..<choice.count, using: &random)]
            request.name = "\(ObjectFile.stem(of: request.path))_\(place)"
            let linked = try builder.build(request)
            let alone = try builder.build(request)
            var member = linked.member
            member.edges = [:]
            // The programs in program arrays were loaded without.
            member.unit.supportsFrags = false
            try pair.chain.insert(member, at: .last)
            pair.maps[member.name] = linked.maps
            pair.solos.append(try SoloProgram(alone))
            DifferentialMaps.fill(
                linked.maps, alone.maps, member.unit.maps, packets: packets, using: &random)
        }
        let edges = RandomGraph.edges(of: pair.chain.members.map(\.name), using: &random)
        for (name, edges) in zip(pair.chain.members.map(\.name), edges) {
            try pair.chain.update(name) { $0.edges = edges }
        }
        return pair
    }

    /// With a share of the members in programs of their own, and cut at random.
    private func load(
        _ pair: Pair, counters: CounterMode, _ way: Way, using random: inout SeededGenerator
    ) throws -> KernelChain {
        let names = pair.chain.members.map(\.name)
        let isolated =
            way.isolates ? Set(names.filter { _ in Int.random(in: 0..<5, using: &random) < 2 }) : []
        // Beyond the reachable members no cut does anything.
        let cuts = way.cuts ? Set(1..<max(names.count, 2)).filter { _ in Bool.random(using: &random) } : []
        return try KernelChain(
            pair.chain, maps: pair.maps, counters: counters, isolating: isolated, cutAt: Set(cuts))
    }

    private func load(
        _ pair: Pair, counters: CounterMode, calls: Bool, using random: inout SeededGenerator
    ) throws -> KernelChain {
        let called =
            calls
            ? Set(pair.chain.members.map(\.name).filter { _ in Int.random(in: 0..<3, using: &random) > 0 })
            : []
        do throws(XDPError) {
            return try KernelChain(pair.chain, maps: pair.maps, counters: counters, calling: called)
        } catch {
            // Deep frames do not fit below each other; then as the linker likes it.
            guard calls, error.kind == .refused else { throw error }
            return try KernelChain(pair.chain, maps: pair.maps, counters: counters)
        }
    }

    /// Runs the members one by one along the graph.
    private func walk(
        _ pair: Pair, _ packet: [UInt8], _ counters: inout [MemberCounters], countsBytes: Bool,
        withMetadata: Bool
    ) throws -> (
        verdict: UInt32, packet: [UInt8], metadata: [UInt8], way: [(place: Int, verdict: UInt32)]
    ) {
        var place = 0
        var way: [(place: Int, verdict: UInt32)] = []
        var packet = packet
        var metadata: [UInt8] = []
        while true {
            let run = try pair.solos[place].loaded.program.testRun(
                packet, metadata: withMetadata ? metadata : nil)
            (packet, metadata) = (run.packet, run.metadata)
            way.append((place, run.verdict))
            let code = Int(min(run.verdict, 5))
            counters[place].values[code].packets += 1
            if countsBytes { counters[place].values[code].bytes += UInt64(packet.count) }
            guard let next = RandomGraph.successor(of: place, after: run.verdict, in: pair.chain) else {
                return (run.verdict, packet, metadata, way)
            }
            place = next
        }
    }
}
