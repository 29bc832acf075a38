// SPDX-License-Identifier: Apache-2.0
import Foundation
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
                let expected = pair.theirs.matches(bytes)
                guard try machine.matches(bytes, linear: linear) == expected else {
                    Issue.record(
                        """
                        \(pair.expression): \(!expected) of \(Self.hex(bytes)) with \(linear) bytes at once
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
            #expect(pair.ours.text == pair.theirs.text)
        }
    }

    /// What people type; ours are at most a tenth longer than what libpcap's optimiser makes.
    @Test(
        "programs are as short as libpcap's",
        arguments: [
            "tcp port 443 and host 192.0.2.7", "tcp port 443", "host 192.0.2.7", "icmp", "vlan 5 and udp",
            "portrange 1000-2000", "net 10.0.0.0/8", "ip6", "tcp[tcpflags] & tcp-syn != 0", "greater 1000",
            "tcp or udp", "not port 22", "not (tcp port 22 or udp port 53)",
            "src host 10.0.0.1 and dst port 80",
            "arp or icmp or icmp6", "ip6 host 2001:db8::1", "ether host 2:0:0:0:0:1 and ip",
            "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
            "host 10.0.0.1 or host 10.0.0.2 or host 10.0.0.3", "udp port 53 and not host 192.0.2.53",
            "tcp and (port 80 or port 443 or port 8080)", "ip multicast",
            "ether broadcast or ether multicast",
            "vlan and vlan 5 and tcp port 80", "mpls 16 and ip", "pppoes and tcp port 80",
            "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 192.168.0.0/16",
            "ip proto 47 or ip6 proto 47", "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply",
            "dst net 10.0.0.0/8 and src net 172.16.0.0/12 and udp portrange 5000-6000", "sctp or ah or esp",
            "ip[6:2] & 0x1fff != 0", "less 64 or greater 1500",
            "stp or lldp or ether proto 0x88cc".replacingOccurrences(
                of: "lldp or ", with: ""),
        ])
    func length(expression: String) throws {
        let theirs = try PcapFilter(expression, isOptimised: true).instructions.count
        let ours = try ClassicProgram(compiling: expression).optimized
        #expect(ours.instructions.count * 10 <= theirs * 11, "\(theirs) are theirs\n\(ours.text)")
    }
}
