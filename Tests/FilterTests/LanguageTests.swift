// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink
import TestSupport
import Testing
import XDP

@Suite("the language of rules")
struct LanguageTests {
    static let example = """
        # /etc/xdpctl/edge.xdp
        set blocklist : prefix  from "blocklist.txt" timeout 1h
        set admins    : prefix  { 192.0.2.0/24, 2001:db8:5::/48 }

        rules {
          pass  src in @admins
          drop  src in @blocklist                         counter "blocked"
          drop  tcp flags syn, rst
          drop  udp dport { 19, 123, 1900, 11211 }  unless src in @admins
          limit tcp dport 22 syn  to 10/second per src burst 20   else drop
          drop  icmp type echo-request  length > 1000
          drop  fragment
          log   tcp dport 23   at most 5/second
          redirect to veth0    vlan 42
          default pass
        }
        """

    private static func parse(_ text: String) throws -> RuleSet {
        try RuleFile.parse(Array(text.utf8), file: "test.xdp")
    }

    /// The match of a rule that drops.
    private static func match(_ text: String) throws -> Match {
        try parse(
            """
            set nets : prefix
            set ports : port
            set pairs : address . port
            set tags : vlan
            set protos : protocol
            set ifs : interface
            set macs : mac
            rules {
              drop \(text)
              default pass
            }
            """
        ).rules[0].match
    }

    private static func number(_ field: NumberField, _ ranges: ClosedRange<UInt32>...) -> Match {
        .test(.number(field, ranges))
    }

    private static func net(_ text: String, _ length: Int) -> IPPrefix {
        IPPrefix(IPAddress(parsing: text) ?? IPAddress(0, 0, 0, 0), length: length)
            ?? IPPrefix(IPAddress(0, 0, 0, 0))
    }

    @Test("a rule file becomes what it says")
    func readsExample() throws {
        let rules = try Self.parse(Self.example)
        #expect(rules.policy == .pass && rules.countsRules)
        #expect(rules.sets.map(\.name) == ["blocklist", "admins"])
        #expect(
            rules.sets[0].file == "blocklist.txt" && rules.sets[0].timeout == 3600
                && rules.sets[0].hasTimeouts)
        #expect(
            rules.sets[1].elements == [
                SetElement([.prefix(Self.net("192.0.2.0", 24))]),
                SetElement([.prefix(Self.net("2001:db8:5::", 48))]),
            ])
        let admins = Match.test(.member(of: "admins", [.address(.source)]))
        let tcp = Self.number(.protocol, 6...6)
        let expected: [Rule] = [
            Rule(.decide(.pass), admins),
            Rule(
                .decide(.drop), .test(.member(of: "blocklist", [.address(.source)])), counter: "blocked"),
            Rule(.decide(.drop), .all([tcp, .test(.tcpFlags(value: 6, mask: 6))])),
            Rule(
                .decide(.drop),
                .all([
                    Self.number(.protocol, 17...17),
                    Self.number(.destinationPort, 19...19, 123...123, 1900...1900, 11211...11211),
                    .not(admins),
                ])),
            Rule(
                .limit(Limit(rate: Rate(10, per: .second), scope: .source(bits4: 32, bits6: 128), burst: 20)),
                .all([tcp, Self.number(.destinationPort, 22...22), .test(.tcpFlags(value: 2, mask: 18))])),
            Rule(.decide(.drop), .all([Self.number(.icmpType, 8...8), Self.number(.length, 1001...65535)])),
            Rule(.decide(.drop), .test(.fragment(.any))),
            Rule(
                .log(LogSettings(atMost: Rate(5, per: .second))),
                .all([tcp, Self.number(.destinationPort, 23...23)])),
            Rule(.redirect(interface: "veth0"), Self.number(.vlan, 42...42)),
        ]
        #expect(rules.rules == expected)
        #expect(rules.rules.map(\.place.line) == Array(6...14))
        #expect(rules.rules[0].place.column == 3)
        #expect(try Self.parse(rules.text) == rules)
    }

    @Test(
        "tests are read and written",
        arguments: [
            ("", ""), ("all", ""), ("not all", "not all"), ("src 192.0.2.1", "src 192.0.2.1"),
            ("src in 192.0.2.1, 2001:db8::/32", "src { 192.0.2.1, 2001:db8::/32 }"),
            ("host 192.0.2.0/24", "host 192.0.2.0/24"), ("dst != 192.0.2.1", "dst != 192.0.2.1"),
            ("src 10.0.0.1-10.0.0.6", "src { 10.0.0.1, 10.0.0.2/31, 10.0.0.4/31, 10.0.0.6 }"),
            ("src 0.0.0.0-255.255.255.255", "src 0.0.0.0/0"),
            ("src ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "src ::/0"),
            ("host != @nets", "src != @nets not dst in @nets"), ("port 53", "port 53"),
            ("port in @ports", "port in @ports"), ("port != 53", "sport != 53 dport != 53"),
            ("dport ssh, 80-90, 91", "dport { 22, 80-91 }"), ("dport < 1024", "dport < 1024"),
            ("dport <= 1023", "dport < 1024"), ("sport >= 1024", "sport > 1023"),
            ("dport != { 53, 60-70 }", "dport != { 53, 60-70 }"), ("proto gre", "gre"),
            ("proto { tcp, udp, 200 }", "proto { tcp, udp, 200 }"), ("icmp", "icmp"),
            ("not icmpv6", "not icmpv6"),
            ("icmp type echo-request code 0", "icmp type echo-request code 0"),
            ("icmpv6 type nd-neighbor-solicit", "icmpv6 type neighbour-solicitation"),
            ("tcp dport 22 syn", "tcp dport 22 syn"), ("tcp flags syn / syn,ack", "tcp syn"),
            ("flags none / syn, ack", "flags none / syn, ack"), ("tcp flags != syn", "tcp flags != syn"),
            ("vlan 42 inner vlan 7", "vlan 42 inner vlan 7"), ("vlan in @tags", "vlan in @tags"),
            ("ethertype 0x88cc", "ethertype lldp"), ("arp", "arp"), ("ip6", "ip6"),
            ("ethertype 0x9999", "ethertype 0x9999"),
            ("mac src 02:00:00:00:00:01", "mac src 02:00:00:00:00:01"),
            ("mac host != 02:00:00:00:00:01", "mac src != 02:00:00:00:00:01 not mac dst 02:00:00:00:00:01"),
            ("dscp ef", "dscp ef"), ("tclass 0x10", "tclass 16"), ("hoplimit < 5", "ttl < 5"),
            ("first fragment or later fragment", "first fragment or later fragment"), ("queue 3", "queue 3"),
            ("in interface eth0, \"to\"", "iif { eth0, \"to\" }"), ("iif in @ifs", "iif in @ifs"),
            ("@14,2 == 0x0800", "@14,2 == 0x800"),
            ("@network+9,1 & 0x0f != 6", "@network+9,1 & 0xf != 0x6"), ("@frame+0,1 > 1", "@0,1 > 0x1"),
            ("src . dport in @pairs", "src . dport in @pairs"),
            ("tcp dport 22 or udp dport 53", "tcp dport 22 or udp dport 53"),
            ("tcp (dport 22 or sport 22)", "tcp (dport 22 or sport 22)"),
            ("tcp and (port 22)", "tcp port 22"),
            ("!tcp", "not tcp"), ("not (tcp or udp)", "not (tcp or udp)"), ("not not tcp", "tcp"),
            ("tcp unless dport 80 or dport 443", "tcp not (dport 80 or dport 443)"),
            ("src { 192.0.2.1,\n    @nets }", "src 192.0.2.1 or src in @nets"),
            ("(tcp\n  or udp)", "tcp or udp"), ("proto != @protos", "proto 0-255 not proto in @protos"),
            ("mac dst in @macs", "mac dst in @macs"), ("ipversion { 4, 6 }", "ipversion { 4, 6 }"),
            ("dport 0-65535", "dport 0-65535"),
        ])
    func readsAndWrites(text: String, canonical: String) throws {
        let match = try Self.match(text)
        #expect(match.text == canonical)
        #expect(try Self.match(canonical) == match)
    }

    @Test(
        "actions are read and written",
        arguments: [
            ("abort", "abort"), ("aborted tcp", "abort tcp"), ("tx icmp", "tx icmp"),
            ("redirect to eth0.5 tcp", "redirect to eth0.5 tcp"),
            ("redirect to \"drop\"", "redirect to \"drop\""),
            ("jump web tcp", "jump web tcp"), ("jump to web", "jump web"),
            ("count counter x", "count counter \"x\""),
            ("limit to 10/s", "limit to 10/second"),
            ("limit tcp to 1000 packets/minute per src /24", "limit tcp to 1000/minute per src /24"),
            (
                "limit tcp to 5/h per dst /24,64 burst 9 else pass",
                "limit tcp to 5/hour per dst /24,64 burst 9 else pass"
            ),
            ("limit to 10 Mbit/second", "limit to 1250 kB/second"),
            ("limit to 5MB/s burst 1 MiB", "limit to 5 MB/second burst 1 MiB"),
            ("limit to 64 KiB/s burst 64 kB per rule", "limit to 64 KiB/second burst 64 kB"),
            ("log", "log"), ("sample 1/100 udp", "log udp sample 1/100"),
            (
                "log udp at most 5/second prefix \"a\\\"b\" snap 64 sample 1/7 comment \"c\"",
                "log udp at most 5/second sample 1/7 prefix \"a\\\"b\" snap 64 comment \"c\""
            ),
            (
                "drop tcp counter \"a b\" comment \"ä\\n\\x01\\\\\"",
                "drop tcp counter \"a b\" comment \"ä\\n\\x01\\\\\""
            ),
        ])
    func readsActions(text: String, canonical: String) throws {
        var rules = RuleSet(policy: .pass)
        rules.groups = [RuleGroup(name: "web", rules: [])]
        let rule = try RuleFile.parseRule(text, in: rules)
        #expect(rule.text == canonical)
        #expect(try RuleFile.parseRule(canonical, in: rules) == rule)
    }

    @Test(
        "sets are read and written",
        arguments: [
            ("set a : prefix", "set a : prefix"),
            ("set a : port { 22 } timeout 1h", "set a : port timeout 1h { 22 }"),
            (
                "set a: address . port { 192.0.2.1 . ssh, 2001:db8::1 . 80 timeout 90s }",
                "set a : address . port timeouts { 192.0.2.1 . 22, 2001:db8::1 . 80 timeout 1m30s }"
            ),
            ("set a : port timeouts max 10 { 1-5 }", "set a : port timeouts capacity 10 { 1-5 }"),
            ("set a : protocol { tcp }", "set a : protocol { 6 }"),
            ("set a : mac . vlan { 02:00:00:00:00:01 . 5 }", "set a : mac . vlan { 02:00:00:00:00:01 . 5 }"),
            ("set a : interface { eth0, \"set\" }", "set a : interface { eth0, \"set\" }"),
            (
                "set a : prefix {\n 10.0.0.0/8 # ten\n 10.1.0.0-10.1.1.255, }",
                "set a : prefix { 10.0.0.0/8, 10.1.0.0/23 }"
            ),
            ("set a : port { 1, 2, 3, 4, 5 }", "set a : port {\n  1,\n  2,\n  3,\n  4,\n  5,\n}"),
            (
                "set a : prefix capacity 5 from \"x y.txt\" timeout 2d",
                "set a : prefix from \"x y.txt\" timeout 2d capacity 5"
            ),
        ])
    func readsSets(text: String, canonical: String) throws {
        let rules = try Self.parse(text + "\nrules { default drop }")
        #expect(rules.sets[0].text == canonical)
        #expect(try Self.parse(canonical + "; rules { default drop }") == rules)
    }

    @Test("random rule sets are read back as they were written")
    func roundTrip() throws {
        for seed in 0..<1000 as Range<UInt64> {
            var random = RandomRuleText(seed: seed)
            let rules = random.ruleSet()
            let text = rules.text
            let again = try Self.parse(text)
            #expect(again == rules.normalized, "\(seed): \(text)")
            #expect(again.text == text)
        }
    }

    @Test("random rule sets of the normal form are read back equal")
    func roundTripNormalized() throws {
        for seed in 0..<300 as Range<UInt64> {
            let rules = RandomRuleSet.make(seed: seed)
            let again = try Self.parse(rules.text)
            #expect(again == rules, "\(seed): \(rules.text)")
        }
    }

    @Test("elements stand alone")
    func readsElements() throws {
        let set = SetDeclaration(name: "a", kinds: [.address, .port])
        let elements = try RuleFile.parseElements("192.0.2.1 . 80 timeout 10m, 192.0.2.2 . 81", of: set)
        #expect(elements.map(\.text) == ["192.0.2.1 . 80 timeout 10m", "192.0.2.2 . 81"])
        #expect(throws: XDPError.self) { try RuleFile.parseElements("192.0.2.1", of: set) }
        #expect(throws: XDPError.self) { try RuleFile.parseElements("192.0.2.1 . 80 }", of: set) }
    }
}
