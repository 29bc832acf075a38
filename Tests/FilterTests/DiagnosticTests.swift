// SPDX-License-Identifier: Apache-2.0
import Filter
import Testing
import XDP

/// What is said of mistakes: the words, and the place.
@Suite("mistakes in rule files")
struct DiagnosticTests {
    /// The findings of a file, each with its source below it.
    static func findings(_ text: String) -> String {
        let bytes = Array(text.utf8)
        do throws(XDPError) {
            _ = try RuleFile.parse(bytes, file: "x")
            return ""
        } catch {
            return error.findings.map { finding in
                let excerpt = SourceExcerpt.text(
                    of: bytes, line: finding.line ?? 0, column: finding.column ?? 0)
                return [finding.what, excerpt, finding.remedy].compactMap(\.self).joined(separator: "\n")
            }.joined(separator: "\n")
        }
    }

    /// Of a rule alone, whose place is what the caret says.
    private static func ofRule(_ rule: String) -> String {
        findings("set nets : prefix\nset pairs : address . port\nrules {\n\(rule)\ndefault pass\n}\n")
    }

    @Test(
        "a mistake in a rule is said with its place and what to do",
        arguments: [
            (
                "drop tpc dport 22",
                """
                tpc is no test
                drop tpc dport 22
                     ^
                did you mean tcp?
                """
            ),
            (
                "dorp tcp",
                """
                dorp is no action
                dorp tcp
                ^
                did you mean drop?
                """
            ),
            (
                "accept tcp dport 22",
                """
                accept is no action
                accept tcp dport 22
                ^
                did you mean pass? It hands the packet on to the next program, and then to the network stack
                """
            ),
            (
                "drop tcp dport 70000",
                """
                70000 is too large
                drop tcp dport 70000
                               ^
                dport is at most 65535
                """
            ),
            (
                "drop udp dport domian",
                """
                domian is no port
                drop udp dport domian
                               ^
                did you mean domain?
                """
            ),
            (
                "drop src 192.0.2.256",
                """
                192.0.2.256 is no address
                drop src 192.0.2.256
                         ^
                IPv4 has four numbers from 0 to 255: 192.0.2.1 or 192.0.2.0/24
                """
            ),
            (
                "drop src 192.0.2.0/33",
                """
                expected a length from 0 to 32, found 33
                drop src 192.0.2.0/33
                                   ^
                such as 192.0.2.0/24
                """
            ),
            (
                "drop 192.0.2.1",
                """
                192.0.2.1 stands alone
                drop 192.0.2.1
                     ^
                say which address: src 192.0.2.1, dst or host
                """
            ),
            (
                "drop src in @net",
                """
                there is no set net
                drop src in @net
                             ^
                did you mean nets?
                """
            ),
            (
                "drop sport in @nets",
                """
                the set nets holds prefix, not port
                drop sport in @nets
                               ^
                """
            ),
            (
                "drop src in @pairs",
                """
                the set pairs holds address . port, not address or prefix
                drop src in @pairs
                             ^
                """
            ),
            (
                "jump wbe",
                """
                there is no group wbe
                jump wbe
                     ^
                """
            ),
            (
                "pass ct state established",
                """
                ct cannot be tested
                pass ct state established
                     ^
                XDP sees single packets and keeps no connections; answers to connections made from here can be let \
                through by flags (pass tcp flags ack), new ones told by `tcp syn`; nftables behind it knows states
                """
            ),
            (
                "reject tcp",
                """
                reject is no action
                reject tcp
                ^
                XDP drops without an answer: drop; nftables behind it can send one, for packets that are passed
                """
            ),
            (
                "drop tcp flags sin",
                """
                expected a flag, found sin
                drop tcp flags sin
                               ^
                did you mean fin?
                """
            ),
            (
                "drop (tcp or udp",
                """
                expected ) or a further test, found default
                default pass
                ^
                there is a ( that is not closed
                """
            ),
            (
                "drop dport 90-80",
                """
                90-80 is no range
                drop dport 90-80
                           ^
                the lower one comes first
                """
            ),
            (
                "drop dport { }",
                """
                the list is empty
                drop dport { }
                             ^
                a rule that matches nothing can go
                """
            ),
            (
                "limit tcp to 10",
                """
                expected / and a time: 10/second, found the end of the line
                limit tcp to 10
                               ^
                second, minute, hour or day
                """
            ),
            (
                "limit tcp 10/second",
                """
                the number 10 stands alone
                limit tcp 10/second
                          ^
                say of which field
                """
            ),
            (
                "limit tcp to 0/second",
                """
                a rate is at least one packet
                limit tcp to 0/second
                             ^
                to let nothing through use `drop`
                """
            ),
            (
                "log tcp at most 5 MB/second",
                """
                reports are counted, not their bytes
                log tcp at most 5 MB/second
                                ^
                """
            ),
            (
                "drop tcp burst 5",
                """
                burst belongs to `limit`
                drop tcp burst 5
                         ^
                limit MATCH to 10/second per src burst 20 else drop
                """
            ),
            (
                "drop comment \"ä\" comment \"b\"",
                """
                there is a comment already
                drop comment "ä" comment "b"
                                         ^
                """
            ),
            (
                "drop comment \"open",
                """
                the closing quote is missing
                drop comment "open
                             ^
                """
            ),
            (
                "drop @nets",
                """
                @nets is no field
                drop @nets
                      ^
                sets are named behind a field: src in @nets; bytes: @14,2 == 0x0800 or @network+9,1 & 0x0f == 6
                """
            ),
            (
                "drop src < 192.0.2.1",
                """
                < goes with numbers
                drop src < 192.0.2.1
                         ^
                for addresses name networks or ranges: 192.0.2.10-192.0.2.20
                """
            ),
            (
                "drop vlan 4096",
                """
                4096 is too large
                drop vlan 4096
                          ^
                vlan is at most 4095
                """
            ),
            (
                "drop \u{7} tcp",
                """
                expected a test, or the end of the rule, found \u{7}
                drop ? tcp
                     ^
                """
            ),
        ])
    func ofRules(rule: String, expected: String) {
        #expect(Self.ofRule(rule) == expected)
    }

    @Test("all mistakes of a file are said at once, in the order of lines")
    func allAtOnce() {
        let text = """
            set a : prefixes
            set b : prefix { 10.0.0.0/8, 10.300.0.0/16, x }
            set b : address
            group g { drop tcp; jump h; default pass }
            group h { jump g }
            rules {
              drop tcp dport 22,
              drop udp
              drop src in @b
            }
            """
        #expect(
            Self.findings(text) == """
                prefixes is no kind of set
                set a : prefixes
                        ^
                did you mean prefix?
                10.300.0.0 is no address
                set b : prefix { 10.0.0.0/8, 10.300.0.0/16, x }
                                             ^
                IPv4 has four numbers from 0 to 255: 192.0.2.1 or 192.0.2.0/24
                x is no address
                set b : prefix { 10.0.0.0/8, 10.300.0.0/16, x }
                                                            ^
                expected 192.0.2.1, 192.0.2.0/24, 192.0.2.1-192.0.2.9, 2001:db8::/32 or @SET; names are not looked up
                there is a set b already
                set b : address
                    ^
                a group has no default
                group g { drop tcp; jump h; default pass }
                                            ^
                behind its last rule a packet goes on after the jump
                expected a number up to 65535 or the name of a port, found the end of the line
                  drop tcp dport 22,
                                    ^
                """)
    }

    @Test("what a file lacks is said")
    func lacking() {
        #expect(Self.findings("").hasPrefix("there are no rules"))
        #expect(
            Self.findings("rules {\n drop tcp\n}").hasPrefix(
                "it is not said what happens to packets that no rule decides\n}\n^"))
        #expect(
            Self.findings("rules {\n drop tcp\n default pass").contains(
                "the { of rules in line 1 is not closed"))
        #expect(
            Self.findings("rules { default pass }\nrules { default pass }").contains(
                "there are rules already"))
        #expect(Self.findings("drop tcp").hasPrefix("drop stands outside of rules"))
        #expect(Self.findings("table inet filter {\n}").contains("nft's language"))
        #expect(Self.findings("rules { default tx }").contains("expected pass, drop or abort, found tx"))
        #expect(Self.findings("rules { default pass; drop tcp }").contains("this stands behind the default"))
        #expect(
            Self.findings("rules { default pass } }").contains(
                "there is nothing to close here"))
        #expect(
            Self.findings("group a { jump b }\ngroup b { jump a }\nrules { jump a; default pass }")
                .components(separatedBy: "this jump comes back").count == 3)
        #expect(
            Self.findings("set a : address . prefix\nrules { default pass }").contains(
                "tuples hold single values, no prefixes"))
    }

    @Test("hostile files end in a message, soon")
    func hostile() {
        let deep = String(repeating: "(", count: 100_000)
        #expect(Self.ofRule("drop \(deep)").contains("deeper than 64 levels"))
        #expect(
            Self.ofRule("drop " + String(repeating: "not ", count: 100_000)).contains("deeper than 64 levels")
        )
        #expect(Self.ofRule("drop " + String(repeating: "{", count: 100_000)).contains("expected a test"))
        let junk = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 7) }
        #expect(throws: XDPError.self) { try RuleFile.parse(junk, file: "junk") }
        let lines = String(repeating: "nonsense\n", count: 100_000)
        let findings = Self.findings(lines)
        #expect(findings.components(separatedBy: "expected set").count == RuleFile.mostFindings + 1)
        // A line of a megabyte is shown around the place.
        let long = Self.ofRule("drop src { \(String(repeating: "10.0.0.1, ", count: 100_000)) x }")
        #expect(long.utf8.count < 500 && long.contains("x is no address") && long.contains("…"))
    }

    @Test("a rule alone is held against the sets and groups that are there")
    func singleRule() throws {
        let rules = try RuleFile.parse(
            Array("set nets : prefix\ngroup a { drop }\nrules { jump a; default pass }".utf8), file: "x")
        #expect(try RuleFile.parseRule("drop src in @nets", in: rules).text == "drop src in @nets")
        for wrong in ["", "drop src in @net", "jump b", "drop tcp }", "default drop", "drop tcp; drop udp"] {
            #expect(throws: XDPError.self, "\(wrong)") { try RuleFile.parseRule(wrong, in: rules) }
        }
        #expect(throws: XDPError.self) { try RuleFile.parseRule("jump a", in: rules, group: "a") }
    }
}

extension String {
    fileprivate func components(separatedBy text: String) -> [Substring] {
        split(separator: text, omittingEmptySubsequences: false)
    }
}
