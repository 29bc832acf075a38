// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport

@testable import XDP

/// A chain that is built from objects, linked and loaded, and attached to nothing. Needs root.
final class KernelChain {
    let chain: Chain
    let loaded: ChainLoader.LoadedChain
    /// The maps of the members, which live as long as this.
    let maps: [String: [MapHandle]]
    /// The pages of counters.
    let pages: [MapHandle]
    /// Everything that the chain's programs need, program arrays included.
    private let pool: MapPool

    /// Links and loads what was built.
    init(
        _ chain: Chain, maps: [String: [MapHandle]] = [:], counters: CounterMode = .off,
        calling called: Set<String> = [], isolating isolated: Set<String> = [], cutAt starts: Set<Int> = []
    ) throws(XDPError) {
        self.maps = maps
        var chain = chain
        var pages: [MapHandle] = []
        if counters != .off {
            for (slot, member) in chain.members.enumerated() {
                try chain.update(member.name) { $0.counterSlot = slot }
            }
            for _ in stride(from: 0, to: max(1, chain.members.count), by: CounterPage.members) {
                do throws(BPFError) {
                    pages.append(try MapHandle(CounterPage.definition))
                } catch {
                    throw XDPError(error, during: "The counters cannot be made")
                }
            }
        }
        self.pages = pages
        let pool = MapPool()
        self.pool = pool
        pool.add(pages)
        for handles in maps.values { pool.add(handles) }
        let counting = Linker.Counting(mode: counters, pageIDs: pages.map(\.id))
        let loader = ChainLoader(maps: pool)
        if !isolated.isEmpty || !starts.isEmpty {
            loaded = try loader.load(&chain, counting: counting, isolating: isolated, cutAt: starts)
        } else if called.isEmpty {
            loaded = try loader.load(chain, counting: counting)
        } else {
            var linker = Linker(limits: .oldest)
            linker.calledMembers = called
            loaded = try loader.load(try linker.link(chain, counting: counting), of: chain)
        }
        self.chain = chain
    }

    /// Builds members out of fixtures, one after the other, with default edges.
    convenience init(
        fixtures: [String], counters: CounterMode = .off, edges: [String: [Verdict: Edge]] = [:]
    ) throws {
        var chain = Chain()
        var maps: [String: [MapHandle]] = [:]
        for (place, fixture) in fixtures.enumerated() {
            var request = LoadRequest(path: try Fixture.path(fixture))
            request.name = "\(fixture)_\(place)"
            request.pinDirectory = "/sys/fs/bpf/nobody-pins-here"
            request.edges = edges[fixture] ?? [:]
            let built = try MemberBuilder().build(request)
            try chain.insert(built.member, at: .last)
            maps[built.member.name] = built.maps
        }
        try self.init(chain, maps: maps, counters: counters)
    }

    var linked: LinkedProgram { loaded.linked }
    var statistics: VerifierStatistics? { loaded.statistics }

    /// Runs the chain on a packet.
    func testRun(_ packet: [UInt8], metadata: [UInt8]? = nil) throws(BPFError) -> Program.TestRun {
        try loaded.program.testRun(packet, metadata: metadata)
    }

    /// What each member counted.
    func counters() throws(BPFError) -> [MemberCounters] {
        try CounterReader(pageIDs: pages.map(\.id)).counters(of: chain.members)
    }
}
