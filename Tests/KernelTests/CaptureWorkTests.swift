// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import Testing

@testable import XDP

/// What taps cost the verifier. Needs root.
@Suite("The verifier's work with taps")
struct CaptureWorkTests {
    /// Members with many constant verdicts, maps, loops and functions.
    private static let fixtures = ["exits", "branches", "flow_table", "subprograms"]

    @Test("sixteen members with a tap at every point take a moderate sum, not a product", arguments: [1, 2])
    func sixteen(taps count: Int) throws {
        var chain = Chain()
        var maps: [String: [MapHandle]] = [:]
        for place in 0..<16 {
            var request = LoadRequest(path: try Fixture.path(Self.fixtures[place % Self.fixtures.count]))
            request.name = "m\(place)"
            let built = try MemberBuilder().build(request)
            try chain.insert(built.member, at: .last)
            maps[built.member.name] = built.maps
        }
        for member in chain.members {
            try chain.update(member.name) { member in
                member.edges = [.drop: .next, .tx: .next, .aborted: .next]
            }
        }
        let plain = try KernelChain(chain, maps: maps, counters: .bytes)
        for number in 0..<count {
            let tap = try KernelTap("capture-\(number)")
            chain.taps.append(tap.tap(.all))
            maps[tap.name] = tap.maps
        }
        try chain.settleTaps()

        let watched = try KernelChain(chain, maps: maps, counters: .bytes)

        let before = try #require(plain.statistics?.processedInstructions)
        let after = try #require(watched.statistics?.processedInstructions)
        let points = chain.taps.map(\.points.count).reduce(0, +)
        print(
            "16 members: \(before) instructions processed, with \(count) taps at \(points) points \(after): "
                + "\((after - before) / points) a point")
        // The tap has 25 instructions and four ways; what is around it, a dozen. Kernels before 6.0 follow every number exactly
        // in programs with functions.
        #expect(after < before * 3 / 2 + points * 400)
        #expect(watched.linked.frame - plain.linked.frame == 8)
    }
}
