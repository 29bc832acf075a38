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
            let code = try ExpressionCode(compiled, abilities: abilities, isOptimized: true)
            let isOneBuffer = hasBufferAccess && taken % 3 == 0
            let program: ExpressionProgram
            do {
                program = try ExpressionProgram(code, hasFrags: hasBufferAccess, isOneBuffer: isOneBuffer)
            } catch let error as BPFError {
                let log = error.verifierLog?.text.suffix(3000) ?? ""
                Issue.record("\(expression): \(error)\n\(log)")
                return
            }
            for _ in 0..<Self.packets {
                var packet = frames.next()
                // A test run gives several buffers to programs that are not for them, too.
                while isOneBuffer, packet.count > 3000 { packet = frames.next() }
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
        "common expressions are loaded, and take few instructions in both variants",
        arguments: [
            ("", 9), ("tcp port 443", 210), ("host 192.0.2.7", 140), ("icmp", 60), ("vlan 5 and udp", 170),
            ("portrange 1000-2000", 235), ("net 10.0.0.0/8", 155), ("ip6", 40),
            ("tcp[tcpflags] & tcp-syn != 0", 130), ("greater 1000", 18), ("ip6 protochain 6", 4000),
            ("len >= 0", 10), ("ip and arp", 10), ("ether[70000] = 1", 60),
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
        for (number, isThere) in [(0, true), (count - 1, true), (count, false)] {
            let address: Packet.IPv4 = .init([10, UInt8(number / 256), UInt8(number % 256), 1])
            let packet = Packet.ethernet().ipv4(from: "192.0.2.1", to: address).udp(from: 1, to: 2).bytes
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
