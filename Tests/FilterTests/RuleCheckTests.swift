// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import TestSupport
import Testing
import XDP

@Suite("checks of rules")
struct RuleCheckTests {
    private static func parse(_ text: String) throws -> RuleSet {
        try RuleFile.parse(Array(text.utf8), file: "x")
    }

    /// "line: what" of each warning about these rules, which begin in line 1.
    private static func warnings(_ rules: String...) throws -> [String] {
        let text =
            "group g { drop } group web { pass } rules { jump web; "
            + "\(rules.joined(separator: "\n"))\njump g @400,1 == 7; default pass }; set nets : prefix; set more : prefix; "
            + "counters on"
        return try RuleChecks.warnings(in: parse(text)).filter { $0.kind != .unused }.map {
            "\($0.place.line): \($0.kind.rawValue)"
        }
    }

    @Test(
        "a rule that no packet can match is warned about",
        arguments: [
            "tcp udp", "tcp dport 80 proto udp", "dport 80 dport 443", "dport 80 not dport 80",
            "icmp dport 80",
            "arp src 192.0.2.1", "ip src 2001:db8::1", "icmp type 8 ip6", "icmpv6 type 128 proto icmp",
            "src 192.0.2.0/24 src 198.51.100.0/24", "src 192.0.2.1 not src 192.0.2.0/24",
            "later fragment tcp dport 80", "first fragment not fragment", "flags syn / syn, ack flags ack",
            "flags syn / ack", "arp ip6", "mac src 02:00:00:00:00:01 mac src 02:00:00:00:00:02", "not all",
            "(tcp or udp) icmp", "src in @nets not src in @nets", "iif eth0 iif eth1", "ttl < 5 ttl > 10",
            "vlan 5 vlan 6", "dport 22 ethertype 0x88cc", "(dport 22 or dport 23) not (dport 20-30)",
            "@14,2 & 0xff == 0x100", "inner vlan 5 vlan 1 vlan 2",
        ])
    func neverMatches(match: String) throws {
        #expect(try Self.warnings("drop \(match)") == ["1: never-matches"])
    }

    @Test(
        "a rule that packets can match is not warned about",
        arguments: [
            "tcp dport 80", "tcp or udp", "ip dst 192.0.2.1", "not tcp not udp", "port 53", "dport != 53",
            "src != 192.0.2.1", "src 192.0.2.0/24 not src 192.0.2.1", "first fragment tcp dport 80", "syn",
            "vlan 5 inner vlan 6", "icmp type 8 length > 1000", "src { 192.0.2.1, 2001:db8::1 } tcp",
            "mac host 02:00:00:00:00:01", "src in @nets not src in @more", "proto icmpv6 ip", "not fragment",
            "flags syn flags != ack", "not (tcp dport 80)", "tcp not (src 192.0.2.1 dport 80)",
        ])
    func canMatch(match: String) throws {
        #expect(try Self.warnings("drop \(match)") == [])
    }

    @Test(
        "a rule behind one that decides about all of its packets is warned about",
        arguments: [
            ("tcp", "tcp dport 80"), ("dport 80", "tcp dport 80"), ("tcp dport 80", "dport 80 tcp"),
            ("src 192.0.2.0/24", "src 192.0.2.1 tcp"), ("src 10.0.0.0/8", "src { 10.1.0.0/16, 10.2.0.0/16 }"),
            ("tcp dport { 22, 80-90 }", "tcp dport 85"), ("tcp dport < 1024", "tcp dport 22 src 10.0.0.0/8"),
            ("src in @nets", "src in @nets tcp"), ("ip", "src 192.0.2.1"), ("ip or ip6", "tcp"),
            ("proto { tcp, udp }", "tcp or udp"), ("tcp or udp", "udp dport 53"), ("syn", "tcp syn dport 22"),
            ("fragment", "later fragment"), ("not tcp", "udp"), ("not tcp", "arp"),
            ("host 10.0.0.0/8", "src 10.0.0.1"),
            ("src != 10.0.0.0/8", "src 192.0.2.1"), ("ethertype ip", "tcp ip"),
            ("length > 100", "length > 200"),
            ("iif { eth0, eth1 }", "iif eth0"), ("@14,2 == 5", "@14,2 == 5 tcp"), ("2001", ""),
        ].filter { !$0.1.isEmpty })
    func unreachable(first: String, second: String) throws {
        #expect(try Self.warnings("pass \(first)", "drop \(second)") == ["2: unreachable"])
        // What does not decide covers nothing.
        #expect(try Self.warnings("count \(first)", "drop \(second)") == [])
        #expect(
            try Self.warnings("redirect to eth9 \(first)", "log udp length 1", "limit \(second) to 1/s").last
                == "3: unreachable")
    }

    @Test(
        "a rule behind one that leaves it packets is not warned about",
        arguments: [
            ("tcp dport 80", "tcp"), ("src 192.0.2.0/25", "src 192.0.2.0/24"), ("tcp", "dport 80"),
            ("src in @nets", "src in @more"), ("src in @nets", "dst in @nets"),
            ("later fragment", "fragment"),
            ("syn", "tcp flags syn"), ("ip", "tcp"), ("sport 53", "port 53"),
            ("dport 22", "dport { 22, 23 }"),
            ("not udp", "dport 53"), ("ethertype ip", "tcp"),
            ("src 10.0.0.0/8", "src { 10.0.0.1, 192.0.2.1 }"),
        ])
    func reachable(first: String, second: String) throws {
        #expect(try Self.warnings("pass \(first)", "drop \(second)") == [])
    }

    @Test("what stands behind a rule for every packet is warned about once")
    func behindEverything() throws {
        let rules = try Self.parse("rules {\n drop tcp\n pass\n drop udp\n drop arp\n default drop\n}")
        let warnings = RuleChecks.warnings(in: rules)
        #expect(warnings.map(\.place.line) == [4])
        #expect(warnings.first?.what == "no packet gets here: the rule in line 3 decides about all of them")
    }

    @Test("duplicates, idle rules and unused names are warned about")
    func others() throws {
        let rules = try Self.parse(
            """
            counters off
            set used : port { 22, 20-30, 1000, 25 }
            set idle : prefix { 10.0.0.0/8, 192.0.2.1, 10.1.0.0/16, 10.1.2.3, 10.9.0.0/16 timeout 1h }
            set twice : mac { 02:00:00:00:00:01, 02:00:00:00:00:01 }
            group nobody { drop tcp }
            rules {
              count udp
              log dport in @used
              log dport in @used
              count udp counter "x"
              drop mac src in @twice
              default pass
            }
            """)
        #expect(
            RuleChecks.warnings(in: rules).map { "\($0.place.line): \($0.kind.rawValue): \($0.what)" } == [
                "2: overlap: 22 in the set used is covered by 20-30, and 1 more like this",
                "3: overlap: 10.1.0.0/16 in the set idle is covered by 10.0.0.0/8, and 1 more like this",
                "3: unused: no rule names the set idle",
                "4: overlap: 02:00:00:00:00:01 is in the set twice twice",
                "5: unused: no rule jumps to the group nobody",
                "7: no-effect: this rule counts nowhere",
                "9: duplicate: the same rule stands in line 8",
            ])
    }

    @Test("rules that are said to be never reached, or to never match, are met by no random packet")
    func agreesWithEvaluator() throws {
        var warned = 0
        for seed in 0..<200 as Range<UInt64> {
            var options = RandomRuleSet.Options()
            options.rules = 10...30
            options.depth = 2
            let rules = Self.numbered(RandomRuleSet.make(seed: seed, options: options))
            let lines = Set(
                RuleChecks.warnings(in: rules).filter { [.neverMatches, .unreachable].contains($0.kind) }.map(
                    \.place.line))
            warned += lines.count
            guard !lines.isEmpty else { continue }
            let interfaces: [String: UInt32] = ["veth0": 7, "eth1": 8, "br-lan": 9]
            var evaluator = Evaluator(rules, interfaces: interfaces)
            for packet in RandomPackets(for: rules, seed: seed).prefix(200) {
                let fields = PacketFields(
                    packet: packet.bytes, queue: packet.queue,
                    interface: packet.interface.flatMap { interfaces[$0] } ?? 3)
                for id in evaluator.decide(fields).matched {
                    guard let rule = rules[id] else { continue }
                    #expect(
                        !lines.contains(rule.place.line),
                        "\(seed): \(rule.text): \(packet.hex)\n\(rules.text)")
                }
            }
        }
        #expect(warned > 100)
    }

    /// Gives each rule a line of its own.
    private static func numbered(_ rules: RuleSet) -> RuleSet {
        var copy = rules
        var line = 0
        func number(_ rule: inout Rule) {
            line += 1
            rule.place = SourcePlace(line: line, column: 1)
        }
        for index in copy.rules.indices { number(&copy.rules[index]) }
        for group in copy.groups.indices {
            for index in copy.groups[group].rules.indices { number(&copy.groups[group].rules[index]) }
        }
        return copy
    }

    @Test("ten thousand rules are read and checked in no time")
    func many() throws {
        var text = "rules {\n"
        for number in 0..<10_000 {
            let (high, low) = (number / 256, number % 256)
            switch number % 5 {
            case 0: text += "drop tcp src 10.\(high).\(low).0/24 dport \(number)\n"
            case 1: text += "drop udp dport { \(number), \(number + 20_000) } dst 2001:db8:\(number)::/48\n"
            case 2: text += "pass host 172.16.\(high).\(low) unless tcp dport 22\n"
            case 3: text += "limit icmp type echo-request src 10.\(high).\(low).1 to 10/second per src\n"
            default: text += "drop src 192.168.0.0/16 udp sport \(number) length > 100\n"
            }
        }
        let bytes = Array((text + "default pass }").utf8)
        let start = Self.processorSeconds()
        let rules = try RuleFile.parse(bytes, file: "x")
        let read = Self.processorSeconds()
        #expect(RuleChecks.warnings(in: rules).isEmpty)
        let checked = Self.processorSeconds()
        #expect(rules.rules.count == 10_000)
        // A hundred times of what it takes where it is built for speed: only what grows with the square is slower.
        #expect(read - start < 10 && checked - read < 20, "\(start) \(read) \(checked)")
    }

    /// What this thread took of a processor, however many others want it.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
