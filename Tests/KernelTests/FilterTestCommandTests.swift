// SPDX-License-Identifier: Apache-2.0
import Packets
import PcapSupport
import TestSupport
import Testing

/// Rules that are shown packets, by the command.
@Suite("xdpctl filter test")
struct FilterTestCommandTests {
    private static let rules = """
        set bad : prefix from "bad.txt"
        rules {
          drop src in @bad
          log tcp dport 23
          jump services tcp
          drop fragment
          limit icmp to 1/second burst 1
          default pass
        }
        group services {
          pass tcp dport 22 iif eth0
          drop tcp dport 22
        }
        """

    private func directory() throws -> (TemporaryDirectory, String) {
        let directory = try TemporaryDirectory()
        _ = try directory.write("bad.txt", "203.0.113.0/24\n2001:db8:bad::/48\n")
        return (directory, try directory.write("edge.xdp", Self.rules))
    }

    private func run(_ words: String...) throws -> Subprocess.Result {
        let result = try Subprocess.run(Subprocess.binary("xdpctl"), ["filter", "test"] + words)
        try CommandSchemas.check(["filter", "test"] + words, result)
        return result
    }

    @Test("packets in words get their verdicts, with the rule and those met before")
    func words() throws {
        let (directory, path) = try directory()
        defer { withExtendedLifetime(directory) {} }

        let result = try run(
            path, "tcp from 1.2.3.4:5 to 5.6.7.8:22 syn", "tcp to :22 iif eth0", "tcp to :23",
            "udp from 203.0.113.9", "udp fragment later to 2001:db8::1", "icmp", "icmp echo-request")

        #expect(result.status == 0)
        #expect(
            result.output == """
                drop  tcp from 1.2.3.4:5 to 5.6.7.8:22 syn
                    met \(path):5: jump services tcp
                    by \(path):12: drop tcp dport 22
                pass  tcp to :22 iif eth0
                    met \(path):5: jump services tcp
                    by \(path):11: pass tcp dport 22 iif eth0
                pass  tcp to :23
                    met \(path):4: log tcp dport 23
                    met \(path):5: jump services tcp
                    by policy: default pass
                drop  udp from 203.0.113.9
                    by \(path):3: drop src in @bad
                drop  udp fragment later to 2001:db8::1
                    by \(path):6: drop fragment
                pass  icmp
                    met \(path):7: limit icmp to 1/second burst 1
                    by policy: default pass
                drop  icmp echo-request
                    by \(path):7: limit icmp to 1/second burst 1

                """)
    }

    @Test("with --expect another verdict is a failure, and the status of it is 1")
    func expect() throws {
        let (directory, path) = try directory()
        defer { withExtendedLifetime(directory) {} }

        let right = try run(path, "udp from 203.0.113.9", "--expect", "drop")
        let wrong = try run(path, "udp from 203.0.113.9", "udp", "--expect", "drop", "--json")
        let misspelt = try run(path, "udp", "--expect", "allow")

        #expect(right.status == 0 && wrong.status == 1 && misspelt.status == 2)
        let value = try JSONValue(parsing: wrong.output)
        #expect(value["unexpected"] == .integer(1))
    }

    @Test("a capture file is summed up by rule, at its own times")
    func capture() throws {
        let (directory, path) = try directory()
        defer { withExtendedLifetime(directory) {} }
        let ping = Packet.ethernet().ipv4().ping().bytes
        let telnet = Packet.ethernet().ipv4().tcp(to: 23).bytes
        let second: UInt64 = 1_000_000_000
        let capture = try directory.write("packets.pcap", "")
        let packets = [(ping, 0), (telnet, 1), (ping, second / 2), (ping, second)].map {
            PcapFile.Packet(bytes: $0.0, length: $0.0.count + 100, nanoseconds: 50 * second + UInt64($0.1))
        }
        #expect(PcapFile.write(packets, to: capture, isNano: true))

        let text = try run(path, capture, "--each")
        let json = try run(path, capture, "--json", "--each")
        let expected = try run(path, capture, "--expect", "pass")

        #expect(text.status == 0 && text.output.contains("\(capture): 4 packets"))
        #expect(text.output.contains("3      drop     \(path):7"))
        #expect(text.output.contains("pass: 3 packets") && text.output.contains("drop: 1 packet,"))
        guard case .array(let tallies)? = try JSONValue(parsing: json.output)["tallies"] else {
            Issue.record("no tallies: \(json)")
            return
        }
        // The log, the jump, the limit and the policy.
        #expect(tallies.map { $0["packets"] } == [.integer(1), .integer(1), .integer(3), .integer(3)])
        #expect(tallies.map { $0["decided"] } == [.integer(0), .integer(0), .integer(1), .integer(3)])
        #expect(expected.status == 1)
    }

    @Test("mistakes are said with their column or reason, in the house's exit statuses")
    func mistakes() throws {
        let (directory, path) = try directory()
        defer { withExtendedLifetime(directory) {} }
        let text = try directory.write("notes.txt", "no packets here")

        let word = try run(path, "tcp from 1.2.3.4:99999")
        let missing = try run(path, "no-such-file.pcap", "--json")
        let other = try run(path, text)
        let nothing = try run(path)

        #expect(word.status == 2 && word.errors.contains("packet:1:10"))
        #expect(missing.status == 1 && missing.output.contains("No such file"))
        #expect(other.status == 1 && other.errors.contains("neither pcap nor pcapng"))
        #expect(nothing.status == 2 || nothing.status == 64)
    }
}
