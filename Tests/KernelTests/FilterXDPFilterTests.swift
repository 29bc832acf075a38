// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// What xdp-filter does for its users, done with rules: policies, and single rules that come and go, by the command and
/// with real packets; and what it does that nobody asked it for. Needs root.
@Suite("What users of xdp-filter expect")
struct FilterXDPFilterTests {
    /// A rule's match, packets that it means, and others that it does not mean.
    struct Case: Sendable, CustomTestStringConvertible {
        let match: String
        let hits: [Packet]
        let misses: [Packet]

        var testDescription: String { match }
    }

    private static func ipv4(_ source: Packet.IPv4 = "192.0.2.1", to target: Packet.IPv4 = "198.51.100.7")
        -> Packet
    {
        .ethernet().ipv4(from: source, to: target)
    }

    private static func ipv6(_ source: Packet.IPv6 = "2001:db8::1", to target: Packet.IPv6 = "2001:db8:1::7")
        -> Packet
    {
        .ethernet().ipv6(from: source, to: target)
    }

    static let cases: [Case] = [
        Case(
            match: "src 192.0.2.7",
            hits: [
                ipv4("192.0.2.7").udp(to: 53), ipv4("192.0.2.7").tcp(to: 22, flags: .syn),
                ipv4("192.0.2.7").ping(),
            ],
            misses: [
                ipv4("192.0.2.8").udp(to: 53), ipv4("192.0.2.8", to: "192.0.2.7").udp(to: 53), ipv6().udp(),
            ]),
        Case(
            match: "dst 192.0.2.7", hits: [ipv4(to: "192.0.2.7").udp(to: 53), ipv4(to: "192.0.2.7").ping()],
            misses: [ipv4(to: "192.0.2.6").udp(to: 53), ipv4("192.0.2.7").udp(to: 53)]),
        Case(
            match: "src 2001:db8::7",
            hits: [ipv6("2001:db8::7").udp(to: 53), ipv6("2001:db8::7").tcp(to: 22)],
            misses: [ipv6("2001:db8::8").udp(to: 53), ipv6(to: "2001:db8::7").udp(to: 53), ipv4().udp()]),
        Case(
            match: "dst 2001:db8::7", hits: [ipv6(to: "2001:db8::7").udp(to: 53)],
            misses: [ipv6(to: "2001:db8::6").udp(to: 53), ipv6("2001:db8::7").udp(to: 53)]),
        Case(
            match: "tcp dport 53", hits: [ipv4().tcp(from: 99, to: 53), ipv6().tcp(from: 99, to: 53)],
            misses: [
                ipv4().udp(from: 99, to: 53), ipv4().tcp(from: 53, to: 99), ipv4().tcp(from: 99, to: 54),
            ]),
        Case(
            match: "tcp sport 53", hits: [ipv4().tcp(from: 53, to: 99), ipv6().tcp(from: 53, to: 99)],
            misses: [ipv4().udp(from: 53, to: 99), ipv4().tcp(from: 99, to: 53)]),
        Case(
            match: "udp dport 53", hits: [ipv4().udp(from: 99, to: 53), ipv6().udp(from: 99, to: 53)],
            misses: [ipv4().tcp(from: 99, to: 53), ipv4().udp(from: 53, to: 99)]),
        Case(
            match: "udp sport 53", hits: [ipv4().udp(from: 53, to: 99), ipv6().udp(from: 53, to: 99)],
            misses: [ipv4().tcp(from: 53, to: 99), ipv4().udp(from: 99, to: 53)]),
        Case(
            match: "dport 53", hits: [ipv4().udp(from: 99, to: 53), ipv4().tcp(from: 99, to: 53)],
            misses: [ipv4().udp(from: 53, to: 99), ipv4().ping()]),
        Case(
            match: "port 53", hits: [ipv4().udp(from: 99, to: 53), ipv4().tcp(from: 53, to: 99)],
            misses: [ipv4().udp(from: 98, to: 99)]),
        Case(
            match: "mac src 02:00:00:00:00:07",
            hits: [
                .ethernet(from: "02:00:00:00:00:07").ipv4().udp(),
                .ethernet(from: "02:00:00:00:00:07").arp(.request, sender: "192.0.2.1", target: "192.0.2.2"),
            ],
            misses: [.ethernet(from: "02:00:00:00:00:08", to: "02:00:00:00:00:07").ipv4().udp()]),
        Case(
            match: "mac dst 02:00:00:00:00:07", hits: [.ethernet(to: "02:00:00:00:00:07").ipv6().udp()],
            misses: [.ethernet(from: "02:00:00:00:00:07", to: "02:00:00:00:00:08").ipv6().udp()]),
    ]

    @Test(
        "with the policy pass a rule that is added drops what it means, until it is deleted", arguments: cases
    )
    func allow(_ one: Case) throws {
        let bench = try PolicyBench(policy: "pass")
        #expect(try bench.arriving(one.hits + one.misses) == one.hits + one.misses)

        try bench.command("add", "drop \(one.match)")
        #expect(try bench.arriving(one.hits + one.misses) == one.misses)

        try bench.command("delete", "drop \(one.match)")
        #expect(try bench.arriving(one.hits + one.misses) == one.hits + one.misses)
    }

    @Test(
        "with the policy drop a rule that is added passes what it means, until it is deleted",
        arguments: cases)
    func deny(_ one: Case) throws {
        let bench = try PolicyBench(policy: "drop")
        #expect(try bench.arriving(one.hits + one.misses) == [])

        try bench.command("add", "pass \(one.match)")
        #expect(try bench.arriving(one.hits + one.misses) == one.hits)

        try bench.command("delete", "pass \(one.match)")
        #expect(try bench.arriving(one.hits + one.misses) == [])
    }

    // MARK: - What it does that nobody asked for

    @Test("fragments without a transport header are neither matched by ports nor taken for broken packets")
    func fragments() throws {
        let first = Packet.ethernet().ipv4(fragment: .first).udp(from: 99, to: 53, payload: Array(0..<16))
        // Its content looks like ports.
        let later = Packet.ethernet().ipv4(fragment: .last(at: 24), protocol: 17).payload([
            0, 99, 0, 53, 0, 8,
        ])
        let short = Packet.ethernet().ipv4(fragment: .last(at: 24), protocol: 6).payload([1, 2])

        let bench = try PolicyBench(policy: "pass")
        try bench.command("add", "drop udp dport 53")
        #expect(try bench.arriving([first, later, short]) == [later, short])

        let strict = try PolicyBench(policy: "drop")
        try strict.command("add", "pass udp dport 53")
        #expect(try strict.arriving([first, later, short]) == [first])
    }

    @Test("80-90 are eleven ports")
    func ranges() throws {
        let packets = [79, 80, 85, 90, 91].map { Self.ipv4().tcp(from: 1000, to: $0) }

        let bench = try PolicyBench(policy: "pass")
        try bench.command("add", "drop tcp dport 80-90")

        #expect(try bench.arriving(packets) == [packets[0], packets[4]])
    }

    @Test("two rules about one port, or one address, stay two rules")
    func merging() throws {
        let bench = try PolicyBench(policy: "pass")
        try bench.command("add", "drop udp dport 53")
        try bench.command("add", "drop tcp sport 53")
        let dropped = [Self.ipv4().udp(from: 99, to: 53), Self.ipv4().tcp(from: 53, to: 99)]
        let passed = [Self.ipv4().tcp(from: 99, to: 53), Self.ipv4().udp(from: 53, to: 99)]
        #expect(try bench.arriving(dropped + passed) == passed)

        try bench.command("add", "drop src 192.0.2.7 udp")
        try bench.command("add", "drop dst 192.0.2.7 tcp")
        let others = [
            Self.ipv4("192.0.2.7").tcp(from: 1, to: 2), Self.ipv4(to: "192.0.2.7").udp(from: 1, to: 2),
        ]
        #expect(try bench.arriving(others) == others)

        try bench.command("delete", "drop udp dport 53")
        #expect(try bench.arriving(dropped) == [dropped[0]])
    }

    // MARK: - ARP and neighbour discovery

    @Test("a dropped address still resolves, over both families: rules about IP say nothing of ARP")
    func resolves() throws {
        let bench = try StackBench()
        try bench.apply("rules { drop src 192.0.2.9; drop udp src 2001:db8::9; default pass }")

        #expect(try !bench.exchange(ipv6: false))
        #expect(try bench.knowsNear(ipv6: false))
        #expect(try !bench.exchange(ipv6: true))
        #expect(try bench.knowsNear(ipv6: true))
    }

    @Test("with the policy drop nothing resolves until rules pass ARP and neighbour discovery")
    func policyDrop() throws {
        let bench = try StackBench()
        try bench.apply("rules { pass src 192.0.2.9; pass udp src 2001:db8::9; default drop }")
        #expect(try !bench.exchange(ipv6: false))
        #expect(try !bench.knowsNear(ipv6: false))
        #expect(try !bench.exchange(ipv6: true))
        #expect(try !bench.knowsNear(ipv6: true))

        try bench.apply(
            """
            rules {
              pass arp
              pass icmpv6 type { neighbour-solicitation, neighbour-advertisement }
              pass src 192.0.2.9
              pass udp src 2001:db8::9
              default drop
            }
            """)
        #expect(try bench.exchange(ipv6: false, tries: 40))
        #expect(try bench.exchange(ipv6: true, tries: 40))
    }
}
