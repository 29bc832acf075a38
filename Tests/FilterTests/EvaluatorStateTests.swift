// SPDX-License-Identifier: Apache-2.0
import Netlink
import Packets
import Testing
import XDP

@testable import Filter

@Suite("Sets and limits of the evaluator")
struct EvaluatorStateTests {
    private let second: UInt64 = 1_000_000_000

    // MARK: - Sets

    @Test("a set of networks mixes families and nests")
    func networks() {
        let set = SetDeclaration(
            name: "s", kinds: [.prefix], elements: [prefix("10.0.0.0", 8), prefix("2001:db8::", 32)])
        #expect(
            holds(set, [.address(.source)], from: "10.1.2.3")
                && !holds(set, [.address(.source)], from: "11.0.0.1"))
        #expect(!holds(set, [.address(.destination)], from: "10.1.2.3"))
        let web = PacketFields(packet: Packet.ethernet().ipv6(from: "2001:db8::1").tcp().bytes)
        #expect(holds(set, [.address(.source)], web))
    }

    @Test("sets of numbers hold single ones and ranges; a packet without the field is in none")
    func numbers() {
        let set = SetDeclaration(
            name: "s", kinds: [.port],
            elements: [SetElement([.numbers(53...53)]), SetElement([.numbers(100...200)])])
        let field = [SetField.number(.destinationPort)]
        for (port, isMember) in [
            (53, true), (54, false), (99, false), (100, true), (200, true), (201, false),
        ]
            as [(UInt16, Bool)]
        {
            #expect(
                holds(set, field, PacketFields(packet: Packet.ethernet().ipv4().udp(to: port).bytes))
                    == isMember)
        }
        #expect(!holds(set, field, PacketFields(packet: Packet.ethernet().ipv4().ping().bytes)))
    }

    @Test("a tuple is a member as a whole")
    func tuples() {
        let set = SetDeclaration(
            name: "s", kinds: [.address, .port, .mac],
            elements: [
                SetElement([
                    .address(IPAddress(192, 0, 2, 1)), .numbers(53...53),
                    .mac(MACAddress(value: 0x0200_0000_0001)),
                ])
            ])
        let fields: [SetField] = [.address(.source), .number(.destinationPort), .mac(.source)]
        #expect(holds(set, fields, from: "192.0.2.1"))
        #expect(!holds(set, fields, from: "192.0.2.2"))
        #expect(!holds(set, [.address(.source), .number(.sourcePort), .mac(.source)], from: "192.0.2.1"))
    }

    @Test("elements beyond the declaration count, and interfaces are looked up by name")
    func further() {
        var rules = RuleSet(policy: .pass)
        rules.sets = [SetDeclaration(name: "s", kinds: [.interface])]
        let evaluator = Evaluator(
            rules, sets: ["s": [SetElement([.interface("veth0")])]], interfaces: ["veth0": 7, "veth1": 8])
        let test = Filter.Test.member(of: "s", [.interface])
        #expect(evaluator.holds(test, PacketFields(packet: [], interface: 7), at: 0))
        #expect(!evaluator.holds(test, PacketFields(packet: [], interface: 8), at: 0))
        #expect(
            !evaluator.holds(.member(of: "none", [.interface]), PacketFields(packet: [], interface: 7), at: 0)
        )
    }

    @Test("an element lives as long as it says, else as long as its set says, else for ever")
    func timeouts() {
        let set = SetDeclaration(
            name: "s", kinds: [.prefix],
            elements: [
                prefix("10.0.0.0", 8), prefix("10.1.0.0", 16, timeout: 30), prefix("11.0.0.0", 8, timeout: 1),
            ],
            timeout: 10)
        var rules = RuleSet(policy: .pass)
        rules.sets = [set]
        let evaluator = Evaluator(rules, start: second)
        func isMember(_ address: Packet.IPv4, at time: UInt64) -> Bool {
            evaluator.holds(.member(of: "s", [.address(.source)]), packet(from: address), at: time)
        }
        #expect(isMember("11.0.0.1", at: 2 * second) && !isMember("11.0.0.1", at: 2 * second + 1))
        #expect(isMember("10.0.0.1", at: 11 * second) && !isMember("10.0.0.1", at: 11 * second + 1))
        // The longest-lived network that covers an address counts.
        #expect(isMember("10.1.0.1", at: 31 * second) && !isMember("10.1.0.1", at: 31 * second + 1))
    }

    // MARK: - Limits

    @Test("a burst goes through at once, then one packet for each share of the period")
    func packets() {
        var buckets = TokenBuckets()
        let limit = Limit(rate: Rate(3, per: .second), burst: 2)
        let packet = packet(from: "10.0.0.1")
        func admit(_ time: UInt64) -> Bool { buckets.admit(packet, to: limit, at: time) }
        #expect(admit(0) && admit(0) && !admit(0))
        // A third of a second is no whole number of nanoseconds.
        #expect(!admit(333_333_333) && admit(333_333_334) && !admit(333_333_334))
        #expect(!admit(666_666_666) && admit(666_666_667))
        #expect(admit(10 * second) && admit(10 * second) && !admit(10 * second))
    }

    @Test("bytes cost what the frame is long; what is longer than the burst never passes")
    func bytes() {
        var buckets = TokenBuckets()
        let limit = Limit(rate: Rate(100, .bytes, per: .second), burst: 100)
        func admit(_ length: Int, _ time: UInt64) -> Bool {
            buckets.admit(PacketFields(packet: [], length: length), to: limit, at: time)
        }
        #expect(!admit(101, 0) && admit(60, 0) && !admit(41, 0) && admit(40, 0) && !admit(1, 0))
        #expect(!admit(51, second / 2) && admit(50, second / 2))
    }

    @Test("each network has a bucket; packets without address share one")
    func scopes() {
        var buckets = TokenBuckets()
        let limit = Limit(
            rate: Rate(1, per: .day), scope: .source(bits4: 24, bits6: 64), burst: 1, excess: .aborted)
        func admit(_ packet: PacketFields) -> Bool { buckets.admit(packet, to: limit, at: 5) }
        #expect(admit(packet(from: "10.0.0.1")) && !admit(packet(from: "10.0.0.9")))
        #expect(admit(packet(from: "10.0.1.1")))
        #expect(admit(PacketFields(packet: [])) && !admit(PacketFields(packet: [1])))
        let six = PacketFields(packet: Packet.ethernet().ipv6(from: "2001:db8::1").udp().bytes)
        #expect(admit(six) && !admit(six))
    }

    @Test("what is beyond the limit gets its verdict, what is within goes on")
    func verdicts() {
        var rules = RuleSet(policy: .pass)
        rules.rules = [
            Rule(.limit(Limit(rate: Rate(1, per: .second), burst: 1, excess: .aborted))),
            Rule(.decide(.tx)),
        ]
        var evaluator = Evaluator(rules)
        let first = evaluator.decide(packet(from: "10.0.0.1"), at: 7)
        #expect(first.verdict == .tx && first.matched.count == 2)
        let second = evaluator.decide(packet(from: "10.0.0.1"), at: 8)
        #expect(second.verdict == .aborted && second.rule == .rule(group: nil, index: 0))
        #expect(second.matched == [second.rule])
    }

    @Test("no rate, burst or time overflows")
    func extremes() {
        var buckets = TokenBuckets()
        let limit = Limit(rate: Rate(.max, .bytes, per: .day), burst: .max)
        for time in [UInt64.max, 0, .max] {
            _ = buckets.admit(PacketFields(packet: [], length: .max), to: limit, at: time)
        }
        let isWithin = buckets.admit(PacketFields(packet: []), to: limit, at: .max)
        #expect(isWithin)
    }

    // MARK: - Pieces

    private func prefix(_ text: String, _ length: Int, timeout: UInt64? = nil) -> SetElement {
        let network = IPAddress(parsing: text).flatMap { IPPrefix($0, length: length) }
        return SetElement([.prefix(network ?? IPPrefix(IPAddress(0, 0, 0, 0)))], timeout: timeout)
    }

    private func packet(from source: Packet.IPv4) -> PacketFields {
        PacketFields(packet: Packet.ethernet().ipv4(from: source).udp(to: 53).bytes)
    }

    private func holds(_ set: SetDeclaration, _ fields: [SetField], from source: Packet.IPv4) -> Bool {
        holds(set, fields, packet(from: source))
    }

    private func holds(_ set: SetDeclaration, _ fields: [SetField], _ packet: PacketFields) -> Bool {
        var rules = RuleSet(policy: .pass)
        rules.sets = [set]
        return Evaluator(rules).holds(.member(of: set.name, fields), packet, at: 0)
    }
}
