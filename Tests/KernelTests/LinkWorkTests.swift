// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import TestSupport
import Testing

@testable import XDP

/// How much the verifier works for chains of ten. Needs root, and the packages xdp-tools and libxdp1.
/// `XDP_CHAINS=300` takes as many chains as the requirement says; each takes about a third of a second.
@Suite("The verifier's work")
struct LinkWorkTests {
    /// A verdict that is none ends the chain. A may_goto loop is explored anew for every path that leads to
    /// it, with its own 35 000 instructions: up to 1.5 times the sum, and the only program that does it.
    private static let excluded: Set<String> = ["unknown_verdict", "may_goto"]

    private static let constants: [String: Verdict] = ["drop": .drop, "tx": .tx, "aborted": .aborted]

    @Test("random chains of ten cost the verifier at most 1.2 times their parts, at the 99th percentile")
    func additive() throws {
        let wanted = Amount.chains
        var random = SeededGenerator(seed: 10)
        var parts: [(built: MemberBuilder.Built, processed: Int, isPackaged: Bool)] = []
        var builder = MemberBuilder()
        builder.othersSupportFrags = false
        for request in try DifferentialPool.requests()
        where !Self.excluded.contains(ObjectFile.stem(of: request.path)) {
            let built = try builder.build(request)
            let solo = try SoloProgram(built)
            let processed = solo.loaded.statistics?.processedInstructions
            parts.append((built, try #require(processed), request.path.hasPrefix("/usr/lib/")))
        }
        var ratios: [Double] = []

        while ratios.count < wanted {
            var chain = Chain()
            var maps: [String: [MapHandle]] = [:]
            var sum = 0
            for place in 0..<10 {
                // Every other one is a real program; otherwise the glue between a dozen tiny fixtures would
                // be what is measured.
                let choice = place % 2 == 0 ? parts.filter { $0.isPackaged } : parts
                let part = choice[Int.random(in: 0..<choice.count, using: &random)]
                var member = part.built.member
                member.name = "\(member.name)_\(place)"
                member.unit.supportsFrags = false
                // Whoever never passes leads on with the verdict it gives, or the verifier would not look at
                // what is behind.
                if let only = Self.constants[ObjectFile.stem(of: member.origin)] {
                    member.edges[only] = .next
                }
                maps[member.name] = part.built.maps
                sum += part.processed
                try chain.insert(member, at: .last)
            }
            let loaded = try KernelChain(chain, maps: maps)
            let processed = try #require(loaded.statistics).processedInstructions
            ratios.append(Double(processed) / Double(sum))
        }

        ratios.sort()
        func percentile(_ percent: Int) -> Double {
            ratios[min(ratios.count - 1, ratios.count * percent / 100)]
        }
        let text = [50, 90, 99, 100].map { "p\($0) \(String(format: "%.3f", percentile($0)))" }
        print("verifier work of \(wanted) chains of 10 / sum of the parts: \(text.joined(separator: ", "))")
        #expect(percentile(99) <= 1.2)
    }
}
