// SPDX-License-Identifier: Apache-2.0
import Foundation
import Packets
import PcapSupport
import TestSupport
import Testing
import XDP

@testable import Capture

/// Random expressions and packets: what libpcap's interpreter says of its own, unoptimised program is what is right.
@Suite("Filter expressions beside libpcap")
struct ExpressionTests {
    /// Expressions of each property; `XDP_SEEDS` times 40.
    private static let count =
        40 * (ProcessInfo.processInfo.environment["XDP_SEEDS"].flatMap { Int($0) } ?? 30)
    private static let packets = 25

    /// An expression as libpcap and as we have it.
    private struct Pair {
        let expression: String
        let theirs: PcapFilter
        let ours: ClassicProgram
    }

    private static func pairs(seed: UInt64, count: Int) -> [Pair] {
        var source = PcapExpression(seed: seed)
        var pairs: [Pair] = []
        for _ in 0..<(count * 3) where pairs.count < count {
            let expression = source.next()
            guard let theirs = try? PcapFilter(expression, isOptimised: false) else { continue }
            do {
                let ours = try ClassicProgram(compiling: expression)
                pairs.append(Pair(expression: expression, theirs: theirs, ours: ours))
            } catch {
                // What libpcap's interpreter would answer from memory that was never written.
                if error.kind == .refused, expression.contains("geneve") { continue }
                Issue.record("\(expression): \(error)")
            }
        }
        return pairs
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("the shortened program says what libpcap's does")
    func optimized() throws {
        var (cases, matched) = (0, 0)
        var frames = PcapFrame(seed: 7)
        for pair in Self.pairs(seed: 1, count: Self.count) {
            let optimized = pair.ours.optimized
            try optimized.check()
            let shorter = try #require(PcapFilter(optimized))
            #expect(optimized.instructions.count <= pair.ours.instructions.count)
            for _ in 0..<(Self.packets * 4) {
                let bytes = frames.next()
                let expected = pair.theirs.matches(bytes)
                guard shorter.matches(bytes) == expected else {
                    Issue.record(
                        "\(pair.expression): \(!expected) of \(Self.hex(bytes))\n\(pair.ours.text)\n\n\(optimized.text)"
                    )
                    return
                }
                cases += 1
                matched += expected ? 1 : 0
            }
        }
        #expect(cases == Self.count * Self.packets * 4)
        #expect(matched > cases / 10 && matched < cases * 9 / 10)
    }

    @Test("the code says what libpcap's interpreter does", arguments: [true, false])
    func code(hasBufferAccess: Bool) throws {
        var abilities = CaptureAbilities()
        abilities.hasBufferAccess = hasBufferAccess
        var (cases, matched) = (0, 0)
        var frames = PcapFrame(seed: 8)
        frames.longOneIn = 60
        var random = SeededGenerator(seed: 9)
        for (index, pair) in Self.pairs(seed: hasBufferAccess ? 2 : 3, count: Self.count / 4).enumerated() {
            let code = try ExpressionCode(pair.ours, abilities: abilities, isOptimized: index % 4 != 0)
            let machine = try ExpressionMachine(code)
            for _ in 0..<Self.packets {
                let bytes = frames.next()
                let isSplit = hasBufferAccess && random.next() % 2 == 0
                let linear = isSplit ? Int(random.next() % UInt64(min(bytes.count, 80) + 1)) : bytes.count
                let isOneBuffer = !isSplit && random.next() % 2 == 0
                let expected = pair.theirs.matches(bytes)
                guard try machine.matches(bytes, linear: linear, isOneBuffer: isOneBuffer) == expected else {
                    Issue.record(
                        """
                        \(pair.expression): \(!expected) of \(Self.hex(bytes)) with \(linear) bytes at once\(isOneBuffer ? ", as always" : "")
                        \(pair.ours.optimized.text)
                        """)
                    return
                }
                cases += 1
                matched += expected ? 1 : 0
            }
        }
        #expect(cases == Self.count / 4 * Self.packets)
        #expect(matched > cases / 10 && matched < cases * 9 / 10)
    }

    @Test("programs are printed as tcpdump -d prints them")
    func text() throws {
        for pair in Self.pairs(seed: 4, count: 200) where !pair.expression.contains("protochain") {
            // What it answers is how much tcpdump would keep of the packet.
            let ours = pair.ours.text.replacingOccurrences(of: "#262144", with: "#65535")
            #expect(ours == pair.theirs.text)
        }
    }

    /// What people type; ours are at most a tenth longer than what libpcap's optimiser makes. Lists such as `port 80 or port 443` are
    /// not among them: libpcap puts questions before loads that may end the program, which changes its answer about
    /// packets that are cut short.
    @Test(
        "programs are as short as libpcap's",
        arguments: [
            "tcp port 443 and host 192.0.2.7", "tcp port 443", "host 192.0.2.7", "icmp", "vlan 5 and udp",
            "portrange 1000-2000", "net 10.0.0.0/8", "ip6", "tcp[tcpflags] & tcp-syn != 0", "greater 1000",
            "tcp or udp", "not port 22", "not (tcp port 22 or udp port 53)",
            "src host 10.0.0.1 and dst port 80",
            "arp or icmp or icmp6", "ip6 host 2001:db8::1", "ether host 2:0:0:0:0:1 and ip",
            "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
            "udp port 53 and not host 192.0.2.53",
            "ip multicast",
            "ether broadcast or ether multicast",
            "vlan and vlan 5 and tcp port 80", "mpls 16 and ip", "pppoes and tcp port 80",
            "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 192.168.0.0/16",
            "ip proto 47 or ip6 proto 47", "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply",
            "dst net 10.0.0.0/8 and src net 172.16.0.0/12 and udp portrange 5000-6000", "sctp or ah or esp",
            "ip[6:2] & 0x1fff != 0", "less 64 or greater 1500",
            "stp or ether proto 0x88cc",
        ])
    func length(expression: String) throws {
        let theirs = try PcapFilter(expression, isOptimised: true).instructions.count
        let ours = try ClassicProgram(compiling: expression).optimized
        #expect(ours.instructions.count * 10 <= theirs * 11, "\(theirs) are theirs\n\(ours.text)")
    }

    @Test("long lists of hosts are as short as libpcap's, and searched by halves")
    func hosts() throws {
        let expression = (0..<120).map { "host 10.0.\($0).1" }.joined(separator: " or ")
        let program = try ClassicProgram(compiling: expression)
        let theirs = try PcapFilter(expression, isOptimised: true).instructions.count
        #expect(program.optimized.instructions.count * 10 <= theirs * 11)
        let machine = try ExpressionMachine(ExpressionCode(program, abilities: CaptureAbilities()))
        for last: UInt8 in [0, 60, 119, 120] {
            let packet = Packet.ethernet().ipv4(from: .init([10, 0, last, 1])).udp(from: 1, to: 2).bytes
            #expect(try machine.matches(packet, linear: packet.count) == (last < 120))
            #expect(try machine.matches(packet, linear: 20) == (last < 120))
        }
    }

    // MARK: - What is refused

    @Test(
        "what libpcap does not understand is said in its words, with what to do",
        arguments: [
            ("tcp prot 443", "syntax error", "pcap-filter(7)"),
            ("port nosuchport", "nosuchport", "/etc/services"),
            ("host no.such.host.invalid", "no.such.host.invalid", "address itself"),
            ("ifname eth0", "ifname", "Ethernet"), ("ip broadcast", "netmask", "192.0.2.255"),
            ("host 300.1.1.1", "300.1.1.1", "pcap-filter(7)"), ("rnr 5", "rnr", "Ethernet"),
        ])
    func complaints(expression: String, said: String, remedy: String) {
        #expect {
            _ = try ClassicProgram(compiling: expression)
        } throws: { error in
            guard let error = error as? XDPError, error.what.contains(expression) else { return false }
            return error.kind == .invalid && error.why.contains(said)
                && error.remedy?.contains(remedy) == true
        }
    }

    @Test(
        "what a frame does not hold is refused",
        arguments: [("inbound", "direction"), ("outbound and tcp", "direction"), ("ifindex 3", "interface")])
    func metadata(expression: String, word: String) {
        #expect {
            _ = try ClassicProgram(compiling: expression)
        } throws: { error in
            guard let error = error as? XDPError else { return false }
            return error.kind == .refused && error.why.contains(word)
        }
    }

    @Test("an empty expression matches everything", arguments: ["", "  \t\n"])
    func empty(expression: String) throws {
        let program = try ClassicProgram(compiling: expression)
        #expect(program.instructions.isEmpty)
        let machine = try ExpressionMachine(ExpressionCode(program, abilities: CaptureAbilities()))
        #expect(try machine.matches([], linear: 0))
    }

    /// Op-codes as in linux/bpf_common.h.
    @Test(
        "a program that is not right is refused",
        arguments: [
            [], [(0x06, 0, 0, 1), (0xff, 0, 0, 0)], [(0x20, 0, 0, 0)], [(0x05, 0, 0, 1), (0x06, 0, 0, 0)],
            [(0x15, 0, 1, 0), (0x06, 0, 0, 0)], [(0x60, 0, 0, 16), (0x06, 0, 0, 0)],
            [(0x60, 0, 0, 3), (0x16, 0, 0, 0)], [(0x34, 0, 0, 0), (0x06, 0, 0, 0)],
            [(0x64, 0, 0, 32), (0x06, 0, 0, 0)], [(0x05, 0, 0, .max), (0x06, 0, 0, 0)],
        ] as [[(UInt16, UInt8, UInt8, UInt32)]])
    func mistakes(rows: [(UInt16, UInt8, UInt8, UInt32)]) {
        let program = ClassicProgram(
            expression: "by hand",
            instructions: rows.map { ClassicInstruction(code: $0, ifTrue: $1, ifFalse: $2, operand: $3) })
        guard !rows.isEmpty else {
            #expect(throws: Never.self) { try program.check() }
            return
        }
        #expect(throws: XDPError.self) { try program.check() }
    }
}
