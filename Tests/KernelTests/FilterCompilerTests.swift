// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Foundation
import Netlink
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
        let amount = ProcessInfo.processInfo.environment["XDP_SEEDS"].flatMap(Int.init) ?? 25
        var options = RandomRuleSet.Options.stateless
        options.hasLogs = true
        for round in 0..<amount {
            let seed = UInt64(part * 100_000 + round)
            options.rules = round % 3 == 0 ? 0...5 : round % 3 == 1 ? 5...20 : 20...90
            let rules = RandomRuleSet.make(seed: seed, options: options)
            try compare(rules, seed: seed, packets: 150)
        }
    }

    @Test("long runs of networks, in one another and of both families, find the first that matches")
    func networks() throws {
        var rules = RuleSet(policy: .pass)
        for number in UInt8(0)..<200 {
            let four = IPPrefix(IPAddress(10, number % 3, number % 7, number), length: 8 + Int(number) % 25)
            let six = IPAddress(
                bytes: [0x20, 1, number % 3, 0, number % 7] + [UInt8](repeating: number, count: 11)
            )
            .flatMap { IPPrefix($0, length: 16 + Int(number) % 113) }
            let networks = [number % 2 == 0 ? four : nil, number % 3 == 0 ? six : nil].compactMap { $0 }
            guard !networks.isEmpty else { continue }
            rules.rules.append(
                Rule(
                    .decide(number % 5 == 0 ? .pass : .drop),
                    .all([.test(.number(.protocol, [17...17])), .test(.address(.destination, networks))])))
        }
        try compare(rules, seed: 1, packets: 1000)
        rules.rules = Self.surrounded(rules.rules)
        try compare(rules, seed: 2, packets: 1000)
    }

    @Test("long runs of tuples of exact values find the first that matches")
    func tuples() throws {
        var rules = RuleSet(policy: .drop)
        for number in UInt32(0)..<300 {
            rules.rules.append(
                Rule(
                    .decide(number % 3 == 0 ? .drop : .pass),
                    .all([
                        .test(.address(.source, [IPPrefix(IPAddress(10, 0, 0, UInt8(number % 90)))])),
                        .test(.number(.destinationPort, [(number % 70)...(number % 70)])),
                        .test(.mac(.source, [MACAddress(value: 0x0200_0000_0000 + UInt64(number % 4))])),
                    ])))
        }
        try compare(rules, seed: 3, packets: 1000)
        rules.rules = Self.surrounded(rules.rules)
        try compare(rules, seed: 4, packets: 1000)
    }

    /// Rules before and behind, so that tables find them all.
    private static func surrounded(_ rules: [Rule]) -> [Rule] {
        let counting = (UInt32(0)..<12).map {
            Rule(.count, .test(.number(.ttl, [($0 * 20)...($0 * 20 + 30)])))
        }
        return counting + rules + counting
    }

    @Test("thousands of rules, in several blocks, decide as the evaluator does")
    func blocks() throws {
        var rules = FilterCompilerWorkTests.mixed(6000)
        for place in stride(from: 100, to: 6000, by: 61) {
            rules.rules.insert(Rule(.count, .test(.number(.protocol, [6...6]))), at: place)
        }
        try compare(rules, seed: 5, packets: 400)
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
