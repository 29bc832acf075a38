// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import PcapSupport
import TestSupport
import Testing
import XDP

@testable import Filter

/// The same packets through the compiled program, the evaluator and libpcap. Needs root.
@Suite("Filters three ways", .serialized)
struct FilterDifferentialTests {
    /// Rule sets of each kind; `XDP_SEEDS` widens it.
    private static let seeds = UInt64(Amount.seeds.count)
    /// Packets for each rule set.
    private static let packets = 300

    /// How large rule sets are.
    enum Size: String, CaseIterable {
        case few, some, many

        var rules: ClosedRange<Int> {
            switch self {
            case .few: 0...6
            case .some: 7...30
            case .many: 40...200
            }
        }

        /// Rule sets for each seed: small ones are loaded soon.
        var times: UInt64 {
            switch self {
            case .few: 12
            case .some: 10
            case .many: 3
            }
        }
    }

    @Test("the program decides and counts as the evaluator does", arguments: Size.allCases)
    func evaluator(size: Size) throws {
        let namespace = try NetworkNamespace.makePrivate()
        try namespace.run {
            var difference = FilterDifference()
            difference.firstBuffer =
                try Self.hasFrags() ? FilterProgram.firstBuffer(of: Self.largePacket) : nil
            var options = RandomRuleSet.Options.stateless
            options.hasLogs = true
            options.hasTimeouts = true
            options.rules = size.rules
            for seed in 0..<(Self.seeds * size.times) {
                let rules = RandomRuleSet.make(seed: seed, options: options).withoutShortLives
                let packets = Self.packets(for: rules, seed: seed, withLarge: difference.firstBuffer != nil)
                let knowsSets = seed % 4 != 0
                if let found = try difference.compare(
                    rules, packets, knowsSets: knowsSets, isLinked: seed % 10 == 1)
                {
                    let report = difference.minimised(rules, packets, found, knowsSets: knowsSets)
                    Issue.record("seed \(seed) of \(size): \(report)")
                    return
                }
            }
            #expect(difference.pairs == Int(Self.seeds * size.times) * Self.packets)
            // Every answer comes.
            for verdict in Verdict.allCases {
                #expect(difference.verdicts[verdict, default: 0] > difference.pairs / 500, "\(verdict)")
            }
        }
    }

    @Test("the program drops what libpcap's interpreter finds")
    func libpcap() throws {
        let namespace = try NetworkNamespace.makePrivate()
        try namespace.run {
            var dropped = 0
            var pairs = 0
            for seed in 0..<(Self.seeds * 4) {
                let all = PcapRules.batch(seed: seed, count: 3)
                let packets = all.flatMap { $0.packets(seed: seed, count: 100) }.filter {
                    $0.bytes.count >= 14
                }
                for shared in all {
                    let filter = try PcapFilter(shared.expression, isOptimised: false)
                    let program = try FilterProgram(shared.rules)
                    for packet in packets {
                        let isDropped = try program.verdict(packet.bytes) == Verdict.drop.rawValue
                        guard filter.matches(packet.bytes) == isDropped else {
                            Issue.record(
                                """
                                seed \(seed): the program \(isDropped ? "drops" : "passes") \(packet.hex), \
                                libpcap does not with \(shared.expression)
                                \(shared.rules.text)
                                """)
                            return
                        }
                        dropped += isDropped ? 1 : 0
                        pairs += 1
                    }
                }
            }
            #expect(pairs > Int(Self.seeds) * 3000)
            #expect(dropped > pairs / 8 && dropped < pairs * 7 / 8)
        }
    }

    // MARK: - Packets

    private static let largePacket = [UInt8](repeating: 0, count: 6000)

    private static func hasFrags() -> Bool {
        CompilerInput.KernelAbilities.probed().hasFrags
    }

    /// Some of them have more than one buffer.
    private static func packets(for rules: RuleSet, seed: UInt64, withLarge: Bool) -> [RandomPacket] {
        var source = RandomPackets(for: rules, seed: seed)
        source.shortest = 14
        var packets = Array(source.prefix(packets))
        for index in stride(from: 0, to: packets.count, by: 40) where withLarge {
            let room = 3400 + index * 10 - packets[index].bytes.count
            packets[index].bytes += [UInt8](repeating: UInt8(index & 0xff), count: max(room, 0))
        }
        return packets
    }
}
