// SPDX-License-Identifier: Apache-2.0
import Netlink
import TestSupport
import Testing
import XDP

@testable import Filter

@Suite("What the compiler makes, and what it refuses")
struct FilterCompilerErrorTests {
    @Test("the same rules make the same program")
    func same() throws {
        for seed in UInt64(0)..<10 {
            var input = CompilerInput(RandomRuleSet.make(seed: seed))
            input.assignCounters()

            let first = try FilterCompiler.compile(input)
            let second = try FilterCompiler.compile(input)

            #expect(first.unit == second.unit)
            #expect(first.roles == second.roles)
        }
    }

    @Test("rules that lead in a circle are refused by name")
    func circle() throws {
        var rules = RuleSet(policy: .pass)
        rules.groups = [RuleGroup(name: "a", rules: [Rule(.jump(group: "a"))])]
        rules.rules = [Rule(.jump(group: "a"))]

        let error = try #require(throws: XDPError.self) { try FilterCompiler.compile(CompilerInput(rules)) }

        #expect(error.what == "rule 1 of group a cannot be compiled")
        #expect(error.why == "it jumps back into group a")
    }

    @Test("a group with many rules that many rules jump to is refused by name, not compiled for hours")
    func explosion() throws {
        var rules = RuleSet(policy: .pass)
        let udp = Match.test(.number(.protocol, [17...17]))
        rules.groups = [
            RuleGroup(name: "a", rules: [Rule](repeating: Rule(.decide(.drop), udp), count: 1000))
        ]
        rules.rules = [Rule](repeating: Rule(.jump(group: "a"), udp), count: 1000)

        let error = try #require(throws: XDPError.self) { try FilterCompiler.compile(CompilerInput(rules)) }

        #expect(error.what.contains("of group a cannot be compiled"))
        #expect(error.kind == .refused)
    }

    @Test("what the program says of a verdict names the rule that asks for it")
    func verdictLines() throws {
        var rules = RuleSet(policy: .pass)
        rules.rules = [
            Rule(.decide(.drop), .test(.number(.vlan, [1...1])), place: SourcePlace(line: 3, column: 3)),
            Rule(
                .redirect(interface: "eth1"), .test(.number(.vlan, [42...42])),
                place: SourcePlace(line: 7, column: 3)),
        ]

        let lines = try FilterCompiler.compile(CompilerInput(rules)).unit.lines

        #expect(lines.first { $0.text == "redirect" }.map { $0.position >> 10 } == 7)
        #expect(lines.first { $0.text == "drop" }.map { $0.position >> 10 } == 3)
        #expect(lines.first { $0.text == "pass" }.map { $0.position >> 10 } == 0)
    }

    @Test("only the verdicts that the rules give are in the program, and no more is read than is asked for")
    func verdicts() throws {
        var rules = RuleSet(policy: .pass)
        rules.countsRules = false
        rules.rules = [Rule(.decide(.drop), .test(.number(.length, [1000...65_535])))]
        let filter = try FilterCompiler.compile(CompilerInput(rules))

        let analysis = ProgramAnalysis(of: ProgramCode(filter.unit))

        #expect(analysis.verdictSet == [.drop, .pass])
        #expect(filter.unit.instructions.count < 24)
        #expect(filter.unit.maps.isEmpty)
    }

    @Test("thousands of rules that differ in an address are one lookup", arguments: [true, false])
    func run(isScattered: Bool) throws {
        var rules = RuleSet(policy: .pass)
        for number in UInt32(0)..<5000 {
            let address = isScattered ? number << 13 : 10 << 24 | number
            let bytes = [24, 16, 8, 0].map { UInt8(address >> UInt32($0) & 255) }
            let source = try #require(IPAddress(bytes: bytes))
            rules.rules.append(Rule(.decide(.drop), .test(.address(.source, [IPPrefix(source)]))))
        }

        let filter = try FilterCompiler.compile(CompilerInput(rules))

        let lookups = filter.roles.compactMap { role in
            if case .lookup(let entries) = role { entries.count } else { nil }
        }
        // Near each other they find room in a tree of tables.
        #expect(lookups == (isScattered ? [5000] : []))
        #expect(filter.unit.instructions.count < 200)
    }
}
