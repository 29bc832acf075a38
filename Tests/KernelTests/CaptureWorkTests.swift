// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import Testing

@testable import Capture
@testable import XDP

/// What taps cost the verifier. Needs root.
@Suite("The verifier's work with taps")
struct CaptureWorkTests {
    /// Members with many constant verdicts, maps, loops and functions.
    private static let fixtures = ["exits", "branches", "flow_table", "subprograms"]

    private var chain = Chain()
    private var maps: [String: [MapHandle]] = [:]

    init() throws {
        for place in 0..<16 {
            var request = LoadRequest(path: try Fixture.path(Self.fixtures[place % Self.fixtures.count]))
            request.name = "m\(place)"
            let built = try MemberBuilder().build(request)
            var member = built.member
            member.edges = [.drop: .next, .tx: .next, .aborted: .next]
            try chain.insert(member, at: .last)
            maps[member.name] = built.maps
        }
    }

    /// Links the chain with and without taps, and gives what the verifier had to do.
    private func work(_ taps: [(tap: Tap, maps: [MapHandle])]) throws -> (
        before: Int, after: Int, points: Int
    ) {
        let plain = try KernelChain(chain, maps: maps, counters: .bytes)
        var (chain, maps) = (chain, maps)
        for (tap, handles) in taps {
            chain.taps.append(tap)
            maps[tap.name] = handles
        }
        try chain.settleTaps()
        let watched = try KernelChain(chain, maps: maps, counters: .bytes)
        // 8 bytes for each, and the stack of the deepest one, which stands in place at the end.
        let growth = watched.linked.frame - plain.linked.frame
        #expect((8 * taps.count...8 * taps.count + Tap.maximumStack).contains(growth), "\(growth)")
        return (
            try #require(plain.statistics?.processedInstructions),
            try #require(watched.statistics?.processedInstructions),
            chain.taps.map(\.points.count).reduce(0, +)
        )
    }

    @Test("sixteen members with a tap at every point take a moderate sum, not a product", arguments: [1, 2])
    func sixteen(taps count: Int) throws {
        let taps = try (0..<count).map { number in
            let tap = try KernelTap("capture-\(number)")
            return (tap: tap.tap(.all), maps: tap.maps)
        }

        let work = try work(taps)

        print(
            "16 members: \(work.before) instructions processed, with \(count) taps at \(work.points) points "
                + "\(work.after): \((work.after - work.before) / work.points) a point")
        // The tap has 25 instructions and four ways; what is around it, a dozen. Kernels before 6.0 follow every number exactly
        // in programs with functions.
        #expect(work.after < work.before * 3 / 2 + work.points * 400)
    }

    @Test(
        "so do they with a capture at every point: far from the million that a chain may take",
        arguments: ["", "tcp port 443 and host 192.0.2.7"])
    func capture(_ expression: String) throws {
        let abilities = CaptureAbilities.probed()
        var request = CaptureRequest()
        request.selection = .all
        // Where no helper copies a packet the verifier follows each turn of the loop that does.
        if !abilities.hasBufferAccess { request.snapLength = 128 }
        request.program = try ClassicProgram(compiling: expression)
        let rings = try CaptureRings(CaptureBuffer(bytes: 512 << 10, processors: 2, memory: .max))
        let page = try MapHandle(CapturePage.definition)
        var unit = try CaptureCode.unit(for: request, rings: rings.buffer.slots, abilities: abilities)
        unit.maps[Int(CaptureCode.Map.rings)].definition = rings.map.definition
        let tap = Tap(
            name: "capture-1", purpose: expression, process: 1, unit: unit, mapIDs: [page.id, rings.map.id],
            guardMap: Int(CaptureCode.Map.page), selection: request.selection)

        let work = try work([(tap, [page, rings.map])])

        print(
            "16 members: \(work.before) instructions processed, with a capture of \"\(expression)\" at "
                + "\(work.points) points \(work.after): \((work.after - work.before) / work.points) a point")
        #expect(work.after < 500_000)
    }
}
