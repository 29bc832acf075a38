// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Packets
import PcapSupport
import TestSupport
import Testing
import XDP

@testable import Capture

/// Expressions on the kernel. What libpcap's interpreter says of its own, unoptimised program is what is right. Needs root.
@Suite("Captures: expressions", .serialized)
struct CaptureExpressionTests {
    /// Expressions, and packets for each; `XDP_SEEDS` scales the former.
    private static let expressions = 80 * Amount.seeds.count
    private static let packets = 120

    private static let abilities: CaptureAbilities = {
        var abilities = CaptureAbilities()
        abilities.hasBufferAccess = KernelSurvey.support(for: .frags) == .supported
        return abilities
    }()

    @Test("the kernel says what libpcap's interpreter does", arguments: [true, false])
    func libpcap(hasBufferAccess: Bool) throws {
        // Code for kernels without is taken by those with, too.
        var abilities = CaptureAbilities()
        abilities.hasBufferAccess = hasBufferAccess
        if hasBufferAccess, !Self.abilities.hasBufferAccess {
            try Test.skip("this kernel has no packets in several buffers, which Linux 5.18 brings")
        }
        var source = PcapExpression(seed: hasBufferAccess ? 11 : 12)
        var frames = PcapFrame(seed: hasBufferAccess ? 13 : 14)
        frames.shortest = 14
        if !hasBufferAccess { frames.longOneIn = 1 << 30 }
        let wanted = Self.expressions * (hasBufferAccess ? 3 : 1) / 4
        var (taken, cases, matched) = (0, 0, 0)
        while taken < wanted {
            let expression = source.next()
            guard let filter = try? PcapFilter(expression, isOptimised: false) else { continue }
            // libpcap reads what was never written where something stands beside `geneve`.
            guard let compiled = try? ClassicProgram(compiling: expression) else {
                #expect(expression.contains("geneve"))
                continue
            }
            let code = try ExpressionCode(compiled, abilities: abilities, isOptimized: taken % 8 != 0)
            let program: ExpressionProgram
            do {
                program = try ExpressionProgram(code, hasFrags: hasBufferAccess)
            } catch let error as BPFError {
                let log = error.verifierLog?.text.suffix(3000) ?? ""
                Issue.record("\(expression): \(error)\n\(log)")
                return
            }
            for _ in 0..<Self.packets {
                let packet = frames.next()
                let expected = filter.matches(packet)
                guard try program.matches(packet) == expected else {
                    let hex = packet.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                    Issue.record("\(expression): the kernel says \(!expected) of \(hex)")
                    return
                }
                cases += 1
                matched += expected ? 1 : 0
            }
            taken += 1
        }
        #expect(cases == wanted * Self.packets)
        #expect(matched > cases / 10 && matched < cases * 9 / 10)
    }

    /// What people type, on verifiers of all ages.
    @Test(
        "common expressions are loaded, and take few instructions",
        arguments: [
            ("", 4), ("tcp port 443", 80), ("host 192.0.2.7", 60), ("icmp", 40), ("vlan 5 and udp", 90),
            ("portrange 1000-2000", 100), ("net 10.0.0.0/8", 60), ("ip6", 30),
            ("tcp[tcpflags] & tcp-syn != 0", 90), ("greater 1000", 20),
        ])
    func common(expression: String, most: Int) throws {
        let program = try ExpressionProgram(expression, abilities: Self.abilities)
        #expect(program.size <= most)
    }

    @Test("lists of hosts are loaded, and find the first and the last", arguments: [100, 500])
    func long(count: Int) throws {
        let hosts = (0..<count).map { "host 10.\($0 / 256).\($0 % 256).1" }
        let expression = hosts.joined(separator: " or ")
        let program = try ExpressionProgram(expression, abilities: Self.abilities)
        for (third, isThere) in [(0, true), (255, true), (count % 256, false)] {
            let second = UInt8(third == count % 256 ? count / 256 : 0)
            let packet = Packet.ethernet().ipv4(
                from: "192.0.2.1", to: .init([10, second, UInt8(third), 1])
            ).udp(from: 1, to: 2).bytes
            #expect(try program.matches(packet) == isThere)
        }
        if let work = program.statistics { print("\(count) hosts: \(program.size) instructions, \(work)") }
    }

    @Test("an expression that is too long is refused, and said how long it is")
    func tooLong() throws {
        let hosts = (0..<20_000).map { "host 10.\($0 / 256).\($0 % 256).1" }.joined(separator: " or ")
        #expect {
            _ = try ExpressionCode(ClassicProgram(compiling: hosts), abilities: Self.abilities)
        } throws: { error in
            guard let error = error as? XDPError else { return false }
            return error.kind == .refused && error.remedy?.contains("portrange") == true
        }
    }
}
