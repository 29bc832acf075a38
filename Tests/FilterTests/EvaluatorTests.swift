// SPDX-License-Identifier: Apache-2.0
import Netlink
import Packets
import Testing
import XDP

@testable import Filter

@Suite("What rules say of packets")
struct EvaluatorTests {
    let dns = PacketFields(packet: Packet.ethernet().ipv4(from: "192.0.2.1").udp(to: 53).bytes)
    let web = PacketFields(packet: Packet.ethernet().ipv6(from: "2001:db8::1").tcp(to: 80).bytes)
    let arp = PacketFields(
        packet: Packet.ethernet().arp(.request, sender: "192.0.2.1", target: "192.0.2.2").bytes)

    // MARK: - Order

    @Test("the first rule that decides ends it")
    func firstWins() {
        var evaluator = Evaluator(
            rules(Rule(.count), Rule(.decide(.drop), port(53)), Rule(.decide(.pass), port(53))))
        let first = RuleID.rule(group: nil, index: 0)
        let second = RuleID.rule(group: nil, index: 1)
        #expect(
            evaluator.decide(dns) == Decision(verdict: .drop, rule: second, matched: [first, second]))
        #expect(
            evaluator.decide(web) == Decision(verdict: .pass, rule: .policy, matched: [first, .policy]))
    }

    @Test("a redirect decides with its interface")
    func redirect() {
        var evaluator = Evaluator(rules(Rule(.redirect(interface: "veth0"))))
        let decision = evaluator.decide(dns)
        #expect(decision.verdict == .redirect && decision.redirect == "veth0")
    }

    @Test("behind a group's last rule a packet goes on after the jump")
    func jumps() {
        var rules = rules(
            Rule(.jump(group: "one"), port(53)), Rule(.jump(group: "none")), Rule(.decide(.drop)))
        rules.groups = [
            RuleGroup(name: "one", rules: [Rule(.count), Rule(.jump(group: "two"))]),
            RuleGroup(name: "two", rules: [Rule(.decide(.tx), port(80)), Rule(.log(LogSettings()))]),
        ]
        var evaluator = Evaluator(rules)
        let decision = evaluator.decide(dns)
        #expect(
            decision.matched == [
                .rule(group: nil, index: 0), .rule(group: "one", index: 0), .rule(group: "one", index: 1),
                .rule(group: "two", index: 1), .rule(group: nil, index: 1), .rule(group: nil, index: 2),
            ])
        #expect(decision.verdict == .drop)
        #expect(
            evaluator.decide(web).matched == [.rule(group: nil, index: 1), .rule(group: nil, index: 2)])
    }

    @Test("groups that lead into each other end")
    func circle() {
        var rules = rules(Rule(.jump(group: "one")))
        rules.groups = [
            RuleGroup(name: "one", rules: [Rule(.jump(group: "two"))]),
            RuleGroup(name: "two", rules: [Rule(.jump(group: "one"))]),
        ]
        var evaluator = Evaluator(rules)
        #expect(evaluator.decide(dns).rule == .policy)
    }

    // MARK: - Matches

    @Test("and, or and not")
    func logic() {
        #expect(holds(.all([]), dns) && !holds(.any([]), dns))
        #expect(holds(.all([port(53), .always]), dns) && !holds(.all([port(53), port(54)]), dns))
        #expect(holds(.any([port(54), port(53)]), dns) && !holds(.any([port(54), port(55)]), dns))
        #expect(!holds(.not(port(53)), dns) && holds(.not(port(53)), web))
    }

    @Test("a test of a missing field is false, and not of it true")
    func missing() {
        let every: [Filter.Test] = [
            .number(.destinationPort, [0...65_535]), .address(.source, [any4, any6]),
            .tcpFlags(value: 0, mask: 1), .number(.vlan, [0...4095]),
            .bytes(ByteTest(.network, offset: 0, count: 1, .greaterOrEqual, 0)),
            .bytes(ByteTest(.transport, offset: 0, count: 1, .greaterOrEqual, 0)),
        ]
        for test in every {
            #expect(!holds(.test(test), arp) && holds(.not(.test(test)), arp), "\(test)")
        }
    }

    @Test("networks hold addresses of their own family")
    func addresses() {
        #expect(holds(.test(.address(.source, [any4])), dns) && !holds(.test(.address(.source, [any4])), web))
        #expect(holds(.test(.address(.source, [any6])), web) && !holds(.test(.address(.source, [any6])), dns))
        #expect(holds(.test(.address(.source, [prefix("192.0.2.0", 31)])), dns))
        #expect(!holds(.test(.address(.source, [prefix("192.0.2.2", 31)])), dns))
        #expect(!holds(.test(.address(.destination, [prefix("192.0.2.0", 31)])), dns))
        #expect(holds(.test(.address(.source, [prefix("2001:db8::", 127)])), web))
        #expect(!holds(.test(.address(.source, [prefix("2001:db8::", 128)])), web))
    }

    @Test("flags are compared below their mask")
    func flags() {
        #expect(holds(.test(.tcpFlags(value: 2, mask: 0x12)), web))
        #expect(!holds(.test(.tcpFlags(value: 0x12, mask: 0x12)), web))
        #expect(!holds(.test(.tcpFlags(value: 0, mask: 0)), dns))
    }

    @Test("interfaces are known by name")
    func interfaces() {
        let evaluator = Evaluator(rules(), interfaces: ["veth0": 7, "veth1": 8])
        let packet = PacketFields(packet: dns.bytes, interface: 7)
        #expect(evaluator.holds(.interface(["veth1", "veth0"]), packet, at: 0))
        #expect(!evaluator.holds(.interface(["veth1"]), packet, at: 0))
        #expect(!evaluator.holds(.interface(["missing"]), PacketFields(packet: []), at: 0))
    }

    @Test("bytes are a number in network order, read to the frame's end")
    func bytes() {
        func test(_ base: ByteTest.Base, _ offset: UInt16, _ count: UInt8, _ value: UInt64) -> Bool {
            holds(.test(.bytes(ByteTest(base, offset: offset, count: count, .equal, value))), dns)
        }
        #expect(test(.frame, 12, 2, 0x0800) && test(.network, 0, 1, 0x45) && test(.transport, 2, 2, 53))
        #expect(test(.frame, 0, 8, 0x0200_0000_0002_0200))
        // UDP's checksum is the last field.
        #expect(!test(.transport, 8, 1, 0) && !test(.transport, 1, 8, 0) && !test(.frame, 511, 8, 0))
        let padded = PacketFields(packet: dns.bytes + [7])
        #expect(holds(.test(.bytes(ByteTest(.transport, offset: 8, count: 1, .equal, 7))), padded))
    }

    @Test(
        "comparisons of bytes are unsigned and below the mask",
        arguments: zip(
            ByteTest.Comparison.allCases, [[false, true, false], [true, false, true]] + unsigned))
    func comparisons(comparison: ByteTest.Comparison, expected: [Bool]) {
        let packet = PacketFields(packet: [0xff, 0x80])
        for (value, answer) in zip([0x7f, 0x80, 0x81] as [UInt64], expected) {
            let test = ByteTest(.frame, offset: 0, count: 2, mask: 0x80ff & 0xff, comparison, value)
            #expect(holds(.test(.bytes(test)), packet) == answer)
        }
    }

    /// Whether 0x80 is <, <=, >, >= 0x7f, 0x80, 0x81.
    private static let unsigned = [
        [false, false, true], [false, true, true], [true, false, false], [true, true, false],
    ]

    // MARK: - Pieces

    private let any4 = IPPrefix(IPAddress(0, 0, 0, 0), length: 0) ?? IPPrefix(IPAddress(0, 0, 0, 0))
    private var any6: IPPrefix { prefix("::", 0) }

    private func prefix(_ text: String, _ length: Int) -> IPPrefix {
        IPAddress(parsing: text).flatMap { IPPrefix($0, length: length) } ?? IPPrefix(IPAddress(0, 0, 0, 0))
    }

    private func port(_ number: UInt32) -> Match { .test(.number(.destinationPort, [number...number])) }

    private func rules(_ rules: Rule...) -> RuleSet {
        var set = RuleSet(policy: .pass)
        set.rules = rules
        return set
    }

    private func holds(_ match: Match, _ packet: PacketFields) -> Bool {
        var evaluator = Evaluator(rules(Rule(.decide(.drop), match)))
        return evaluator.decide(packet).verdict == .drop
    }
}
