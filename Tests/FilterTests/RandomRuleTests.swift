// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Filter

@Suite("Random rule sets and packets")
struct RandomRuleTests {
    @Test("the same seed makes the same rules and packets")
    func isSeeded() {
        let rules = RandomRuleSet.make(seed: 7)
        #expect(rules == RandomRuleSet.make(seed: 7))
        #expect(rules != RandomRuleSet.make(seed: 8))
        let packets = Array(RandomPackets(for: rules, seed: 1).prefix(50))
        #expect(packets == Array(RandomPackets(for: rules, seed: 1).prefix(50)))
    }

    @Test("packets meet the rules: of ten that decide, several do so in the first hundred packets")
    func packetsMeetRules() {
        var met = 0
        var policy = 0
        for seed in 0..<40 as Range<UInt64> {
            var options = RandomRuleSet.Options.stateless
            options.rules = 10...10
            let rules = RandomRuleSet.make(seed: seed, options: options)
            var evaluator = Evaluator(rules)
            var deciding: Set<RuleID> = []
            for packet in RandomPackets(for: rules, seed: seed).prefix(100) {
                let decision = evaluator.decide(PacketFields(packet: packet.bytes))
                #expect(decision.matched.last == decision.rule)
                deciding.insert(decision.rule)
                if decision.rule == .policy { policy += 1 }
            }
            met += deciding.count
        }
        #expect(met > 40 * 3)
        #expect((100..<3900).contains(policy))
    }

    @Test("every kind of test is true for some packets and false for others")
    func testsHoldAndFail() {
        var held: [String: (yes: Int, no: Int)] = [:]
        var options = RandomRuleSet.Options()
        options.interfaces = ["veth0"]
        for seed in 0..<250 as Range<UInt64> {
            let rules = RandomRuleSet.make(seed: seed, options: options)
            let evaluator = Evaluator(rules, interfaces: ["veth0": 7])
            let tests = (rules.rules + rules.groups.flatMap(\.rules)).flatMap { Self.tests(in: $0.match) }
            for packet in RandomPackets(for: rules, seed: seed).prefix(20) {
                let fields = PacketFields(
                    packet: packet.bytes, queue: packet.queue, interface: packet.interface == nil ? 3 : 7)
                for test in tests {
                    if evaluator.holds(test, fields, at: 0) {
                        held[Self.kind(test), default: (0, 0)].yes += 1
                    } else {
                        held[Self.kind(test), default: (0, 0)].no += 1
                    }
                }
            }
        }
        #expect(held.count >= NumberField.allCases.count + 12)
        for (kind, count) in held {
            #expect(count.yes >= 20 && count.no >= 20, "\(kind): \(count)")
        }
    }

    private static func tests(in match: Match) -> [Filter.Test] {
        switch match {
        case .always: []
        case .all(let parts), .any(let parts): parts.flatMap { tests(in: $0) }
        case .not(let part): tests(in: part)
        case .test(let test): [test]
        }
    }

    private static func kind(_ test: Filter.Test) -> String {
        switch test {
        case .number(let field, _): "\(field)"
        case .address(let field, _): "address \(field)"
        case .mac(let field, _): "mac \(field)"
        case .tcpFlags: "flags"
        case .fragment(let kind): "fragment \(kind)"
        case .interface: "interface"
        case .bytes(let test): "bytes \(test.base)"
        case .member(_, let fields): fields.count == 1 ? "set" : "tuple"
        }
    }
}
