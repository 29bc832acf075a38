// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Foundation
import TestSupport
import Testing
import XDP

/// Compiled rule sets on the kernel, held against the evaluator. Needs root.
@Suite("Compiled filters", .serialized)
struct FilterCompilerTests {
    /// Packets of a test run come in by the loopback device.
    private static let interfaces: [String: UInt32] = ["veth0": 1, "eth1": 77, "br-lan": 78]

    private static func load(_ rules: RuleSet) throws -> LoadedFilter {
        var input = CompilerInput(rules)
        input.assignCounters()
        input.interfaces = interfaces
        input.abilities = LoadedFilter.abilities
        for set in rules.sets { input.capacities[set.name] = UInt32(set.elements.count + 1) }
        return try LoadedFilter(
            FilterCompiler.compile(input), sets: rules.sets, interfaces: interfaces)
    }

    @Test("random rules decide and count random packets as the evaluator does", arguments: 0..<8)
    func random(part: Int) throws {
        let amount = ProcessInfo.processInfo.environment["FILTER_SETS"].flatMap(Int.init) ?? 25
        var options = RandomRuleSet.Options.stateless
        options.hasLogs = true
        for round in 0..<amount {
            let seed = UInt64(part * 100_000 + round)
            options.rules = round % 3 == 0 ? 0...5 : round % 3 == 1 ? 5...20 : 20...90
            let rules = RandomRuleSet.make(seed: seed, options: options)
            try compare(rules, seed: seed, packets: 150)
        }
    }

    private func compare(_ rules: RuleSet, seed: UInt64, packets count: Int) throws {
        let filter: LoadedFilter
        do {
            filter = try Self.load(rules)
        } catch {
            Issue.record(
                "seed \(seed): \(error)\n\((error as? BPFError)?.verifierLog?.text.suffix(3000) ?? "")")
            return
        }
        var evaluator = Evaluator(rules, interfaces: Self.interfaces)
        var packets = RandomPackets(for: rules, seed: seed)
        packets.shortest = 14
        var expected: [RuleID: UInt64] = [:]
        for _ in 0..<count {
            guard let packet = packets.next() else { break }
            let fields = PacketFields(packet: packet.bytes, queue: 0, interface: 1)
            let decision = evaluator.decide(fields)
            let run = try filter.program.testRun(packet.bytes)
            for id in decision.matched { expected[id, default: 0] += 1 }
            #expect(
                run.verdict == decision.verdict.rawValue,
                "seed \(seed), \(packet.hex): \(decision.rule)")
        }
        var input = CompilerInput(rules)
        input.assignCounters()
        var sums: [CounterPlace: UInt64] = [:]
        for (id, place) in input.counters { sums[place, default: 0] += expected[id] ?? 0 }
        for (place, sum) in sums {
            #expect(try filter.counted(place).packets == sum, "seed \(seed), counter \(place)")
        }
    }
}
