// SPDX-License-Identifier: Apache-2.0
import Filter
import Foundation
import Glibc
import Netlink
import Packets
import Synchronization
import TestSupport
import Testing
import XDP

/// Filters that change while others do something too. Needs root.
@Suite("Filters that change under traffic, at once, and in vain")
struct FilterChangeTests {
    @Test("re-applied a hundred times under traffic, every packet is judged once, by old or new rules")
    func traffic() throws {
        let bench = try ChainBench()
        func apply(_ round: Int) throws {
            let rule = round % 2 == 0 ? "drop udp dport 9" : "drop udp dport 9 length <= 1500"
            let text = "rules { count udp\n \(rule) counter \"dropped\"\n default pass }"
            let rules = try RuleFile.parse(Array(text.utf8), file: "test")
            try bench.namespace.run {
                _ = try FilterEditor(try Interface(named: "near")).apply(FilterSource(rules, path: nil))
            }
        }
        try apply(0)
        let isOver = Atomic(false)
        let sent = Atomic(0)
        let sender = Thread {
            let batch = [Packet](repeating: FilterBench.udp(9), count: 32)
            while !isOver.load(ordering: .acquiring) {
                if (try? bench.send(batch)) != nil { sent.add(batch.count, ordering: .relaxed) }
                usleep(1000)
            }
            sent.add(1 << 40, ordering: .releasing)
        }
        sender.start()

        for round in 1...100 { try apply(round) }
        isOver.store(true, ordering: .releasing)
        #expect(eventually { sent.load(ordering: .acquiring) >= 1 << 40 })
        let total = UInt64(sent.load(ordering: .relaxed) - 1 << 40)
        let refused = try LiveTrafficTests.refused(bench)
        _ = try bench.counters(seeing: total - refused)

        let filter = try bench.namespace.run { try LiveFilter.find(on: try Interface(named: "near")) }
        let counted = try filter.counted()
        #expect(total > 1000)
        #expect(refused < total / 100)
        #expect(
            counted[.rule(group: nil, text: "count udp", occurrence: 0)]?.packets == total - refused)
        #expect(counted[.counter("dropped")]?.packets == total - refused)
        #expect(counted[.policy(.pass)]?.packets == 0)
        #expect(try bench.chain().counters()?.first?[.drop].packets == total - refused)
    }

    @Test("of two who add rules at once neither loses one")
    func twoAdders() throws {
        let bench = try FilterBench()
        try bench.apply("rules { default pass }")
        let failures = Atomic(0)
        let ended = Atomic(0)
        for adder in 0..<2 {
            Thread {
                for number in 1...10 {
                    do {
                        try bench.edit { editor throws(XDPError) in
                            try editor.edit("x") { rules throws(XDPError) in
                                let text = "drop udp dport \(1000 * (adder + 1) + number)"
                                let rule = try RuleFile.parseRule(text, in: rules)
                                try rules.insert(rule, at: rules.rules.count, group: nil, "x")
                            }
                        }
                    } catch {
                        failures.add(1, ordering: .relaxed)
                    }
                }
                ended.add(1, ordering: .releasing)
            }.start()
        }
        #expect(eventually(within: 60) { ended.load(ordering: .acquiring) == 2 })

        try bench.send(FilterBench.udp(1010))
        try bench.send(FilterBench.udp(2001), times: 2)
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(try bench.filter().rules.rules.count == 20)
        #expect(try bench.counted()["drop udp dport 1010"] == 1)
        #expect(try bench.counted()["drop udp dport 2001"] == 2)
        let places = try bench.filter().record.counters.map(\.place)
        #expect(Set(places).count == places.count)
    }

    @Test("an interface that goes away while rules are compiled is a failure that says so")
    func interfaceGone() throws {
        let bench = try ChainBench()
        let rules = try RuleFile.parse(Array("rules { default drop }".utf8), file: "test")
        let error = bench.failure {
            try bench.namespace.run {
                var editor = FilterEditor(try Interface(named: "near"))
                let index = editor.interface.index
                editor.compile = { (input) throws(XDPError) in
                    if var route = try? RouteSocket() { try? route.deleteLink(index) }
                    return try FilterCompiler.compile(input)
                }
                _ = try editor.apply(FilterSource(rules, path: nil))
            }
        }

        #expect(error?.kind == .failed)
        #expect(error?.why.contains("gone") == true, "\(error.debugText)")
    }

    @Test("rules that cannot be put on leave those that run as they are")
    func refusals() throws {
        let bench = try FilterBench()
        let directory = try TemporaryDirectory()
        try directory.write("junk.txt", [0, 1, 2, 255, 10, 65])
        try bench.apply("rules { drop udp dport 1\n default pass }")
        let program = try bench.bench.chain("tap").programID
        let sets = (0..<40).map { "set s\($0) : prefix { 192.0.\($0).0/24, 2001:db8:\($0)::/48 }\n" }
        let many = sets.joined() + "rules {\n" + (0..<40).map { "drop src in @s\($0)\n" }.joined()
        let texts = [
            "set a : prefix from \"\(directory.path)/none.txt\"\n rules { drop src in @a\n default pass }",
            "set a : prefix from \"\(directory.path)/junk.txt\"\n rules { drop src in @a\n default pass }",
            "rules { redirect to nosuch0 udp\n default pass }",
            many + "default pass }",
        ]
        for text in texts {
            let error = bench.bench.failure { try bench.apply(text) }

            #expect(error != nil && error?.why.isEmpty == false, "\(text.prefix(80)): \(error.debugText)")
            #expect(try bench.bench.chain("tap").programID == program)
        }
        try bench.send(FilterBench.udp(1))
        #expect(try bench.counted()["drop udp dport 1"] == 1)
    }

    @Test("sets keep what was added by hand, and follow their files")
    func sets() throws {
        let bench = try FilterBench()
        let directory = try TemporaryDirectory()
        let list = try directory.write("list.txt", "192.0.2.0/24\n")
        func text(_ rule: String) -> String {
            "set list : prefix from \"\(list)\"\n set other : port { 7 }\n"
                + "rules { drop src in @list\n \(rule)\n drop dport in @other\n default pass }"
        }
        try bench.apply(text("count tcp"))
        let declaration = try #require(try bench.filter().rules.set("list"))
        let added = try RuleFile.parseElements("203.0.113.9", of: declaration)
        _ = try bench.filter().store(ofSet: "list").add(
            SetSource(SetDeclaration(name: "list", kinds: [.prefix], elements: added)).read())

        let kept = try bench.apply(text("count udp"))
        try bench.send(FilterBench.udp(9, from: "192.0.2.1"))
        try bench.send(FilterBench.udp(9, from: "203.0.113.9"))
        #expect(kept.sets.map(\.outcome) == [.kept, .kept])
        #expect(try bench.counted()["drop src in @list"] == 2)

        try directory.write("list.txt", "198.51.100.0/24\n")
        let updated = try bench.apply(text("count udp"))
        try bench.send(FilterBench.udp(9, from: "192.0.2.1"))
        try bench.send(FilterBench.udp(9, from: "203.0.113.9"))
        try bench.send(FilterBench.udp(9, from: "198.51.100.1"))
        #expect(updated.sets.map(\.outcome) == [.updated, .kept])
        #expect(try bench.counted()["drop src in @list"] == 4)
        #expect(try bench.filter().store(ofSet: "list").count() == 2)
    }

    @Test("rules beyond a page of counters count on the next ones")
    func pages() throws {
        let bench = try FilterBench()
        let rules = (1...300).map { "drop udp dport \($0 * 3)\n" }.joined()
        try bench.apply("rules { \(rules) default pass }")
        try bench.send(FilterBench.udp(9))
        try bench.send(FilterBench.udp(900), times: 2)

        #expect(try bench.counted()["drop udp dport 9"] == 1)
        #expect(try bench.counted()["drop udp dport 900"] == 2)
        #expect(try bench.filter().record.counters.map(\.place.page).max() == 2)
    }
}
