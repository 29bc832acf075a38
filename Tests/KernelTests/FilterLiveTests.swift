// SPDX-License-Identifier: Apache-2.0
import Filter
import Packets
import TestSupport
import Testing
import XDP

/// Filters as members of chains. Needs root.
@Suite("Filters on interfaces")
struct FilterLiveTests {
    @Test("a filter judges packets, and can be read back from the kernel")
    func apply() throws {
        let bench = try FilterBench()

        let report = try bench.apply("rules { drop udp dport 53\n default pass }")
        try bench.send(FilterBench.udp(53), times: 3)
        try bench.send(FilterBench.udp(80), times: 2)

        #expect(report.change.outcome == .attached)
        #expect(report.added == ["drop udp dport 53", "default pass"])
        #expect(try bench.members() == ["filter"])
        #expect(try bench.filter().rules.rules.count == 1)
        #expect(try bench.counted() == ["drop udp dport 53": 3, "default": 2])
        #expect(try bench.verdicts(.drop) == ["filter": 3])
        #expect(try bench.verdicts(.pass) == ["filter": 2])
    }

    @Test("applied again, unchanged rules keep their counters, new ones begin at zero")
    func keepsCounters() throws {
        let bench = try FilterBench()
        try bench.apply("rules { drop udp dport 53\n drop udp dport 99\n default pass }")
        try bench.send(FilterBench.udp(53), times: 3)
        try bench.send(FilterBench.udp(99), times: 4)

        let report = try bench.apply("rules { drop udp dport 7\n drop udp dport 53\n default pass }")
        try bench.send(FilterBench.udp(53), times: 1)
        try bench.send(FilterBench.udp(7), times: 2)
        // The place of the rule that went is given again, and what it counted is not.
        try bench.apply(
            "rules { drop udp dport 7\n drop udp dport 53\n drop udp dport 11\n default pass }")
        try bench.send(FilterBench.udp(11), times: 5)

        #expect(report.added == ["drop udp dport 7"])
        #expect(report.removed == ["drop udp dport 99"])
        #expect(report.kept == 2)
        #expect(
            try bench.counted() == [
                "drop udp dport 53": 4, "drop udp dport 7": 2, "drop udp dport 11": 5, "default": 0,
            ])
        #expect(try bench.verdicts(.drop) == ["filter": 15])
    }

    @Test("packets of several buffers are handled where they can come, or where it is asked for")
    func frags() throws {
        try KernelNeed.check("frags")
        let rules = "rules { drop udp dport 53\n default pass }"
        let bench = try FilterBench()
        func handlesFrags() throws -> Bool { try bench.filter().member.unit.supportsFrags }

        try bench.apply(rules)
        #expect(try !handlesFrags())
        let asked = try RuleFile.parse(Array(rules.utf8), file: "test")
        try bench.edit { editor throws(XDPError) in
            var source = FilterSource(asked, path: nil)
            source.handlesFrags = true
            _ = try editor.apply(source)
        }
        #expect(try handlesFrags())
        // Single rules change nothing of that; rules that are applied as a whole are looked at anew.
        try bench.edit { editor throws(XDPError) in
            _ = try editor.edit("more") { $0.rules.append(Rule(.decide(.drop))) }
        }
        #expect(try handlesFrags())
        try bench.apply(rules)
        #expect(try !handlesFrags())

        try bench.edit { editor throws(XDPError) in _ = try editor.remove() }
        let path = try Fixture.path("frags")
        try bench.bench.edit("tap") { editor throws(XDPError) in
            try editor.load([LoadRequest(path: path)])
        }
        try bench.apply(rules)
        #expect(try handlesFrags())

        let large = try ChainBench(mtu: 9000)
        let isTaken = try large.namespace.run {
            let interface = try Interface(named: "near")
            _ = try FilterEditor(interface).apply(FilterSource(asked, path: nil))
            return try LiveFilter.find(on: interface, name: nil).member.unit.supportsFrags
        }
        #expect(isTaken)
        // So does what leads to rules that wait to be confirmed: one that does not would be refused for all.
        let text = "rules { drop udp dport 54\n default pass }"
        let waiting = try RuleFile.parse(Array(text.utf8), file: "test")
        try large.namespace.run {
            var editor = FilterEditor(try Interface(named: "near"))
            editor.confirmSeconds = 60
            _ = try editor.apply(FilterSource(waiting, path: nil))
        }
        let members = try large.chain().manifest.chain.members
        #expect(members.count == 3 && members.allSatisfy(\.unit.supportsFrags))
    }

    @Test("the same rules again are no change")
    func unchanged() throws {
        let bench = try FilterBench()
        let text = "rules { drop udp dport 53\n default pass }"
        try bench.apply(text)
        let program = try bench.bench.chain("tap").programID

        let report = try bench.apply(text)

        #expect(report.change.outcome == .unchanged)
        #expect(try bench.bench.chain("tap").programID == program)
    }

    @Test("single rules are added and deleted")
    func editing() throws {
        let bench = try FilterBench()
        try bench.apply("rules { drop udp dport 53\n default pass }")

        try bench.edit { editor throws(XDPError) in
            try editor.edit("x") { rules throws(XDPError) in
                let new = try RuleFile.parseRule("pass src 192.0.2.7", in: rules)
                try rules.insert(new, at: 0, group: nil, "x")
            }
        }
        try bench.send(FilterBench.udp(53, from: "192.0.2.7"))
        try bench.send(FilterBench.udp(53))
        try bench.edit { editor throws(XDPError) in
            try editor.edit("x") { rules throws(XDPError) in
                let meant = try RuleFile.parseRule("drop  udp dport {53}", in: rules)
                try rules.remove(alike: meant, group: nil, "x")
            }
        }

        #expect(try bench.filter().rules.rules.map(\.text) == ["pass src 192.0.2.7"])
        #expect(try bench.verdicts(.drop) == ["filter": 1])
        #expect(try bench.counted()["pass src 192.0.2.7"] == 1)
    }

    @Test("a dry run has the verifier take the rules, and changes nothing")
    func dryRun() throws {
        let bench = try FilterBench()
        try bench.apply("rules { default pass }")
        let program = try bench.bench.chain("tap").programID

        let report = try bench.apply("rules { drop udp\n default pass }") { $0.isDryRun = true }

        #expect(report.added == ["drop udp"])
        #expect(report.isDryRun)
        #expect(try bench.bench.chain("tap").programID == program)
    }

    @Test("two filters on one interface are told apart by their names")
    func two() throws {
        let bench = try FilterBench()
        try bench.apply("rules { drop udp dport 1\n default pass }") { $0.name = "one" }
        try bench.apply("rules { drop udp dport 2\n default pass }") {
            $0.name = "two"
            $0.position = .last
        }
        try bench.send(FilterBench.udp(1))
        try bench.send(FilterBench.udp(2), times: 2)

        #expect(try bench.members() == ["one", "two"])
        #expect(try bench.counted("two")["drop udp dport 2"] == 2)
        let error = bench.bench.failure { try bench.filter() }
        #expect(error?.why == "tap has several: one, two")
        try bench.edit({ $0.name = "one" }) { editor throws(XDPError) in try editor.remove() }
        #expect(try bench.members() == ["two"])
    }

    @Test("a filter keeps its place, edges and isolation when rules change; others move around it")
    func placeAndEdges() throws {
        let bench = try FilterBench()
        try bench.bench.edit("tap") { editor throws(XDPError) in
            try editor.load([LoadRequest(path: try fixture("pass"))])
        }
        try bench.apply("rules { drop udp dport 53\n default pass }")
        try bench.bench.edit("tap") { editor throws(XDPError) in
            try editor.setEdges("filter", [.drop: .member("pass")])
        }
        try bench.bench.edit("tap") { editor throws(XDPError) in try editor.move("filter", to: .first) }
        try bench.apply("rules { drop udp dport 54\n default pass }")
        try bench.send(FilterBench.udp(54))

        #expect(try bench.members() == ["filter", "pass"])
        #expect(try bench.verdicts(.pass) == ["filter": 0, "pass": 1])
        try bench.bench.edit("tap") { editor throws(XDPError) in try editor.unload(["filter"]) }
        #expect(try bench.members() == ["pass"])
    }
}

/// The path of a fixture, where only errors of the library may be thrown.
private func fixture(_ name: String) throws(XDPError) -> String {
    do {
        return try Fixture.path(name)
    } catch {
        throw XDPError(.failed, "The fixture \(name) cannot be found", because: "\(error)")
    }
}
