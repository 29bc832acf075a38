// SPDX-License-Identifier: Apache-2.0
import Netlink
import Testing
import XDP

@testable import Filter

/// What rules would do to sessions, without a machine.
@Suite("Protection from locking oneself out")
struct LockoutRuleTests {
    private static let session = RemoteSession(
        peer: IPAddress(192, 0, 2, 9), peerPort: 51_234, local: IPAddress(198, 51, 100, 1), localPort: 22,
        origins: ["process 812 (sshd)"])

    private static func findings(
        _ text: String, _ arrival: ArrivingSession.Arrival = .here, session: RemoteSession = session,
        sets: [String: [SetElement]] = [:], sender: MACAddress? = nil
    ) throws -> [CheckFinding] {
        let rules = try RuleFile.parse(Array(text.utf8), file: "edge.xdp")
        return LockoutRule(
            rules: rules, sets: sets, interface: "eth0", interfaces: ["eth0": 3], receiver: nil
        ).findings([ArrivingSession(session, arrival, sender: sender)])
    }

    @Test(
        "rules that let the session pass are taken without a word",
        arguments: [
            "rules { default pass }",
            "rules { pass tcp dport 22; default drop }",
            "rules { pass src 192.0.2.0/24; drop tcp dport 22; default drop }",
            "rules { drop udp; drop src 203.0.113.0/24; default pass }",
            "rules { log tcp dport 22; default pass }",
            "set admins : prefix { 192.0.2.0/24 }\nrules { pass src in @admins; default drop }",
        ])
    func harmless(rules: String) throws {
        #expect(try Self.findings(rules) == [])
    }

    @Test(
        "whatever ends the session is an error, with the rule, its line and a rule that helps",
        arguments: [
            ("rules {\n  pass udp\n  drop tcp dport 22\n  default pass\n}", "rule 2 (line 3) drops"),
            ("rules {\n  abort src 192.0.2.9\n  default pass\n}", "rule 1 (line 2) aborts"),
            ("rules {\n  redirect to eth1 tcp\n  default pass\n}", "rule 1 (line 2) redirects"),
            ("rules {\n  tx tcp\n  default pass\n}", "rule 1 (line 2) sends back"),
            ("rules {\n  pass udp\n  default drop\n}", "the policy `default drop` drops"),
            (
                "group in {\n  drop tcp flags psh\n}\nrules {\n  jump in tcp\n  default pass\n}",
                "rule 1 of group in (line 2) drops"
            ),
        ])
    func cut(rules: String, start: String) throws {
        let finding = try #require(try Self.findings(rules).first)

        #expect(finding.severity == .error)
        #expect(finding.rule == "lockout")
        #expect(finding.subject == "eth0")
        #expect(finding.what == "\(start) the ssh session of 192.0.2.9:51234")
        #expect(finding.evidence.first == "process 812 (sshd)")
        #expect(finding.remedy?.contains("`pass tcp src 192.0.2.9 dport 22`") == true)
        #expect(finding.remedy?.contains("--force") == true)
    }

    @Test("the rule that is proposed helps")
    func remedy() throws {
        let bad = "rules { drop tcp dport 22; default drop }"
        let remedy = try #require(try Self.findings(bad).first?.remedy)
        let proposed = try #require(remedy.split(separator: "`").dropFirst().first)

        #expect(try Self.findings("rules { \(proposed); drop tcp dport 22; default drop }") == [])
    }

    @Test("where only new connections are refused, that is a warning")
    func newConnections() throws {
        let found = try Self.findings("rules { drop tcp flags syn / syn, ack dport 22; default pass }")

        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.what == "rule 1 (line 1) drops new connections of 192.0.2.9 to port 22")
    }

    @Test("a limit that the session counts in is a warning, unless its excess passes")
    func limits() throws {
        let found = try Self.findings("rules { limit tcp to 10/second per src; default pass }")
        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.what.contains("counts in rule 1") == true)

        #expect(try Self.findings("rules { limit tcp to 10/second else pass; default pass }") == [])
    }

    @Test("elements that only a set's file or the kernel has count")
    func sets() throws {
        let rules = "set blocklist : prefix\nrules { drop src in @blocklist; default pass }"
        let network = try #require(IPPrefix(IPAddress(192, 0, 2, 0), length: 24))
        let other = try #require(IPPrefix(IPAddress(203, 0, 113, 0), length: 24))

        #expect(try Self.findings(rules) == [])
        #expect(try Self.findings(rules, sets: ["blocklist": [SetElement([.prefix(other)])]]) == [])
        let found = try Self.findings(rules, sets: ["blocklist": [SetElement([.prefix(network)])]])
        #expect(found.map(\.severity) == [.error])
    }

    @Test("a session through a tunnel is a warning; one of unknown way is an error that says so")
    func arrivals() throws {
        let rules = "rules { pass udp dport 51820; default drop }"

        let tunnelled = try Self.findings(rules, .tunnelled(by: "wg0 (wireguard)"))
        let unknown = try Self.findings(rules, .unknown("its route cannot be found"))

        #expect(tunnelled.map(\.severity) == [.warning])
        #expect(tunnelled.first?.what.contains("wg0 (wireguard)") == true)
        #expect(unknown.map(\.severity) == [.error])
        #expect(unknown.first?.what.contains("not known, because its route") == true)
    }

    @Test("IPv6 sessions are looked at as well, and the sender's MAC where it is known")
    func otherFields() throws {
        let six = RemoteSession(
            peer: try #require(IPAddress(parsing: "2001:db8::9")), peerPort: 40_000,
            local: try #require(IPAddress(parsing: "2001:db8::1")), localPort: 2222)

        let found = try Self.findings("rules { drop tcp dport 2222; default pass }", session: six)
        #expect(found.first?.what.contains("[2001:db8::9]:40000") == true)
        #expect(found.first?.remedy?.contains("`pass tcp src 2001:db8::9 dport 2222`") == true)

        let router = MACAddress(value: 0x0200_0000_0007)
        let byMAC = "rules { drop mac src 02:00:00:00:00:07; default pass }"
        #expect(try Self.findings(byMAC, sender: router).map(\.severity) == [.error])
        #expect(try Self.findings(byMAC) == [])
    }
}

@Suite("Who works on a machine from afar")
struct SessionSurveyTests {
    @Test("SSH_CONNECTION is read from an environment")
    func environment() {
        let bytes = Array("PATH=/bin\0SSH_CONNECTION=192.0.2.9 51234 198.51.100.1 22\0A=b\0".utf8)
        let session = SessionSurvey.session(inEnvironment: bytes)

        #expect(
            session
                == RemoteSession(
                    peer: IPAddress(192, 0, 2, 9), peerPort: 51_234, local: IPAddress(198, 51, 100, 1),
                    localPort: 22))
        #expect(
            SessionSurvey.session(inEnvironment: Array("XSSH_CONNECTION=1 2 3 4\0SSH_CONNECTION=1 2\0".utf8))
                == nil)
        #expect(SessionSurvey.session(inEnvironment: []) == nil)
    }

    @Test("connections are read from the kernel's table, of both families and mapped ones")
    func table() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 016433C6:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0 100
               1: 016433C6:0016 090200C0:C822 01 00000000:00000000 02:000A7214 00000000     0        0 2222 4 0 20
               2: 0000000000000000FFFF0000016433C6:0016 0000000000000000FFFF0000090200C0:C823 01 0:0 0:0 0 0 0 3333 1
               3: B80D0120000000000000000001000000:0016 B80D0120000000000000000009000000:C824 01 0:0 0:0 0 0 0 4444 1
               4: junk:0016 090200C0:C822 01 0:0 0:0 0 0 0 5555 1
            """
        let entries = TCPTable.parse(text)

        #expect(entries.map(\.inode) == [2222, 3333, 4444])
        #expect(
            entries.map { "\($0.session.peer) \($0.session.peerPort)" } == [
                "192.0.2.9 51234", "192.0.2.9 51235", "2001:db8::9 51236",
            ])
        #expect(
            entries.map { "\($0.session.local) \($0.session.localPort)" } == [
                "198.51.100.1 22", "198.51.100.1 22", "2001:db8::1 22",
            ])
    }

    @Test("packets of a route come in by the ports of a bridge and by what a VLAN stands on")
    func stack() {
        func link(
            _ index: UInt32, kind: String? = nil, master: UInt32? = nil, on lower: UInt32? = nil
        ) -> InterfaceStack.Node {
            InterfaceStack.Node(index: index, name: "if\(index)", kind: kind, master: master, lower: lower)
        }
        let stack = InterfaceStack([
            link(1), link(2, master: 10), link(3, kind: "veth", master: 10, on: 99), link(10, kind: "bridge"),
            link(11, kind: "vlan", on: 10), link(20, kind: "wireguard"), link(30, kind: "veth", on: 1),
        ])

        #expect(stack.arrival(at: 1, routeBy: 1) == .here)
        #expect(stack.arrival(at: 2, routeBy: 10) == .here)
        #expect(stack.arrival(at: 3, routeBy: 11) == .here)
        #expect(stack.arrival(at: 1, routeBy: 11) == nil)
        #expect(stack.arrival(at: 11, routeBy: 10) == nil)
        #expect(stack.arrival(at: 1, routeBy: 20) == .tunnelled(by: "if20 (wireguard)"))
        #expect(stack.arrival(at: 20, routeBy: 20) == .here)
        // The other end of a veth is no lower interface.
        #expect(stack.arrival(at: 1, routeBy: 30) == nil)
        #expect(stack.arrival(at: 1, routeBy: 77)?.isUnknown == true)
    }
}

extension ArrivingSession.Arrival {
    fileprivate var isUnknown: Bool {
        if case .unknown = self { true } else { false }
    }
}
