// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Foundation
import Netlink
import Packets
import Testing
import XDP

/// What compiled filters cost: the verifier, and each packet. Needs root.
@Suite("The work of compiled filters", .serialized)
struct FilterCompilerWorkTests {
    static func load(_ rules: RuleSet) throws -> LoadedFilter {
        var input = CompilerInput(rules)
        input.assignCounters()
        input.abilities = LoadedFilter.abilities
        return try LoadedFilter(FilterCompiler.compile(input), sets: rules.sets)
    }

    /// Ordered rules of all kinds, which a packet to port 9 does not meet.
    static func mixed(_ count: Int) -> RuleSet {
        var rules = RuleSet(policy: .pass)
        for number in 0..<count {
            let low = UInt32(1000 + number % 400 * 100)
            let network = IPPrefix(
                IPAddress(10, UInt8(number / 256 % 256), UInt8(number % 256), 0), length: 24)
            let parts: [Filter.Test] =
                switch number % 5 {
                case 0: [.number(.protocol, [6...6]), .number(.destinationPort, [low...(low + 49)])]
                case 1: [.address(.source, network.map { [$0] } ?? []), .number(.protocol, [17...17])]
                case 2: [.address(.destination, network.map { [$0] } ?? []), .tcpFlags(value: 2, mask: 2)]
                case 3: [.number(.sourcePort, [low...low]), .number(.ttl, [0...UInt32(number % 40)])]
                default:
                    [.address(.source, network.map { [$0] } ?? []), .number(.destinationPort, [low...low])]
                }
            rules.rules.append(Rule(.decide(number % 2 == 0 ? .drop : .pass), .all(parts.map(Match.test))))
        }
        return rules
    }

    static func addresses(_ count: Int) -> RuleSet {
        var rules = RuleSet(policy: .pass)
        for number in 0..<count {
            let address = IPAddress(
                10, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255))
            rules.rules.append(Rule(.decide(.drop), .test(.address(.source, [IPPrefix(address)]))))
        }
        return rules
    }

    static let packet: [UInt8] = {
        var bytes: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]
        bytes += [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7]
        bytes += [0, 99, 0, 9, 0, 26, 0, 0]
        return bytes + [UInt8](repeating: 0, count: 18)
    }()

    static func nanoseconds(_ filter: LoadedFilter) throws -> UInt32 {
        try (0..<5).map { _ in try filter.program.testRun(packet, repeats: 1_000_000).nanoseconds }.min() ?? 0
    }

    @Test("print what it takes", .enabled(if: ProcessInfo.processInfo.environment["FILTER_WORK"] != nil))
    func report() throws {
        let empty = try Program.load(ProgramImage.passing("empty")).take()
        let base =
            try (0..<5).map { _ in try empty.testRun(Self.packet, repeats: 1_000_000).nanoseconds }.min() ?? 0
        print("empty program \(base) ns")
        for hasFrags in [true, false] {
            var input = CompilerInput(RuleSet(policy: .pass))
            input.assignCounters()
            input.abilities.hasFrags = hasFrags
            let filter = try LoadedFilter(FilterCompiler.compile(input), sets: [])
            print("no rules, frags \(hasFrags): \(try Self.nanoseconds(filter)) ns")
        }
        var uncounted = RuleSet(policy: .pass)
        uncounted.countsRules = false
        let cases: [(String, RuleSet)] = [
            ("no rules, uncounted", uncounted),
            ("no rules", RuleSet(policy: .pass)), ("mixed 10", Self.mixed(10)), ("mixed 50", Self.mixed(50)),
            ("mixed 100", Self.mixed(100)), ("mixed 1000", Self.mixed(1000)),
            ("mixed 10000", Self.mixed(10000)),
            ("addresses 1000", Self.addresses(1000)), ("addresses 100000", Self.addresses(100_000)),
        ]
        for (name, rules) in cases {
            let clock = ContinuousClock()
            var compiled: CompiledFilter?
            let compiling = try clock.measure {
                var input = CompilerInput(rules)
                input.assignCounters()
                input.abilities = LoadedFilter.abilities
                compiled = try FilterCompiler.compile(input)
            }
            guard let compiled else { continue }
            var filter: LoadedFilter?
            let loading = try clock.measure { filter = try LoadedFilter(compiled, sets: []) }
            guard let filter else { continue }
            let time = try Self.nanoseconds(filter)
            print(
                "\(name): \(time) ns, \(compiled.unit.instructions.count) instructions,",
                "verified \(filter.statistics?.processedInstructions ?? 0), tables \(compiled.plan.tableBytes),",
                "compile \(compiling), load \(loading)")
            print(
                compiled.plan.stages.map { "   \($0.name): \($0.detail) [\($0.rules)] \($0.nanoseconds)" }
                    .joined(separator: "\n"))
        }
    }
}
