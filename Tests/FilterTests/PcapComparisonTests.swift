// SPDX-License-Identifier: Apache-2.0
import Foundation
import PcapSupport
import TestSupport
import Testing

@testable import Filter

@Suite("The evaluator beside libpcap")
struct PcapComparisonTests {
    /// Batches of rule sets; `XDP_SEEDS` says how many.
    private static let seeds = UInt64(
        ProcessInfo.processInfo.environment["XDP_SEEDS"].flatMap { Int($0) } ?? 400)
    private static let batch = 4
    /// Packets made for each rule set, which meet all of the batch.
    private static let packets = 16

    @Test("both drop the same packets, in more than a hundred thousand cases")
    func agree() throws {
        var pairs = 0
        var dropped = 0
        var contradicted = 0
        for seed in 0..<Self.seeds {
            let all = PcapRules.batch(seed: seed, count: Self.batch)
            let packets = all.flatMap { $0.packets(seed: seed, count: Self.packets) }
            let read = packets.map { PacketFields(packet: $0.bytes) }
            for shared in all {
                let plain = try PcapFilter(shared.expression, isOptimised: false)
                let optimised = try PcapFilter(shared.expression, isOptimised: true)
                var evaluator = Evaluator(shared.rules)
                for (packet, fields) in zip(packets, read) {
                    let isDropped = evaluator.decide(fields).verdict == .drop
                    guard plain.matches(packet.bytes) == isDropped else {
                        Issue.record(
                            """
                            seed \(seed): the rules \(isDropped ? "drop" : "pass") \(packet.hex), pcap does \
                            not with \(shared.expression)
                            """)
                        return
                    }
                    if optimised.matches(packet.bytes) != isDropped { contradicted += 1 }
                    pairs += 1
                    dropped += isDropped ? 1 : 0
                }
            }
        }
        // Seldom a rule set is such that no fit packet is found for it.
        #expect(pairs >= Int(Self.seeds) * 250)
        // libpcap's optimiser changes the meaning of a few expressions (1.10.3: `ip6 proto 6 or arp or len = 64 or ip6`
        // is no longer true of ICMPv6), so its answer counts only nearly always.
        #expect(contradicted < pairs / 1000)
        // Neither answer is rare.
        #expect(dropped > pairs / 8 && dropped < pairs * 7 / 8)
    }

    @Test("a frame that is longer than its first buffer has the whole length")
    func length() throws {
        for length in [60, 999, 1000, 1001] {
            let filter = try PcapFilter("greater 1000", isOptimised: true)
            var rules = RuleSet(policy: .pass)
            rules.rules = [Rule(.decide(.drop), .test(.number(.length, [1000...65_535])))]
            var evaluator = Evaluator(rules)
            let bytes = [UInt8](repeating: 0, count: 60)
            let verdict = evaluator.decide(PacketFields(packet: bytes, length: length)).verdict
            #expect((verdict == .drop) == filter.matches(bytes, length: length))
        }
    }
}
