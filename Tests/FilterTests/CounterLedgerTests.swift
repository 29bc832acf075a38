// SPDX-License-Identifier: Apache-2.0
import Testing
import XDP

@testable import Filter

@Suite("Places of counters over changes of rules")
struct CounterLedgerTests {
    private func rules(_ text: String) throws -> RuleSet {
        try RuleFile.parse(Array("rules { \(text) default pass }".utf8), file: "test")
    }

    private func record(_ ledger: CounterLedger) -> FilterRecord {
        var record = FilterRecord(text: "", path: "")
        record.counters = ledger.entries
        return record
    }

    @Test("a rule that stays keeps its place, wherever it stands")
    func keeps() throws {
        let old = try rules("drop udp dport 1\n drop udp dport 2\n drop udp dport 3\n")
        let before = CounterLedger(old, former: [])
        let new = try rules("drop udp dport 3\n drop udp dport 9\n drop udp dport 1\n")

        let after = CounterLedger(new, former: [record(before)])

        let main = { RuleID.rule(group: nil, index: $0) }
        #expect(after.places[main(0)] == before.places[main(2)])
        #expect(after.places[main(2)] == before.places[main(0)])
        #expect(after.places[.policy] == before.places[.policy])
        // The place of the rule that goes is still counted in by packets on their way.
        let taken = Set(before.places.values)
        #expect(try !taken.contains(#require(after.places[main(1)])))
        #expect(after.newcomers.count == 1)
    }

    @Test("a place that went is given again by the change after")
    func reuses() throws {
        let first = CounterLedger(try rules("drop udp dport 1\n drop udp dport 2\n"), former: [])
        let second = CounterLedger(try rules("drop udp dport 2\n"), former: [record(first)])

        let third = CounterLedger(
            try rules("drop udp dport 2\n drop udp dport 5\n"), former: [record(second)])

        let freed = first.places[.rule(group: nil, index: 0)]
        #expect(third.places[.rule(group: nil, index: 1)] == freed)
        #expect(third.newcomers.count == 1)
    }

    @Test("rules that are alike have a place each, rules of one counter share theirs")
    func alike() throws {
        let alike = CounterLedger(try rules("count tcp\n count tcp\n"), former: [])
        let shared = CounterLedger(
            try rules("count tcp counter \"c\"\n count udp counter \"c\"\n"), former: [])

        #expect(Set(alike.places.values).count == 3)
        #expect(Set(shared.places.values).count == 2)
        #expect(shared.entries.count == 2)
    }

    @Test("the verdict of the policy makes it another one")
    func policy() throws {
        let before = CounterLedger(try rules(""), former: [])
        let dropping = try RuleFile.parse(Array("rules { default drop }".utf8), file: "test")

        let after = CounterLedger(dropping, former: [record(before)])

        #expect(after.places[.policy] != before.places[.policy])
    }
}
