// SPDX-License-Identifier: Apache-2.0
import Packets
import PcapSupport
import TestSupport
import Testing

@testable import Capture

@Suite("Running expressions on packets of files")
struct ClassicInterpreterTests {
    @Test("no expression takes everything")
    func empty() {
        #expect(ClassicProgram(expression: "", instructions: []).matches([], length: 0))
    }

    @Test("every operation does what the machine does")
    func operations() {
        func result(_ code: UInt16, _ a: UInt32, _ x: UInt32) -> UInt32? {
            // ld #a; ldx #x; op x; jeq … is not needed: what is returned is A.
            var machine = ClassicProgram(
                expression: "test",
                instructions: [
                    .init(code: 0, operand: a), .init(code: 1, operand: x), .init(code: code | 4 | 8),
                    .init(code: 0x16),
                ])
            machine.instructions.append(.init(code: 6))
            return machine.matches([], length: 0) ? 1 : 0
        }
        // Sums that are zero and others.
        #expect(result(0x00, 1, .max) == 0 && result(0x00, 1, 1) == 1)
        #expect(result(0x10, 5, 5) == 0 && result(0x10, 5, 6) == 1)
        #expect(result(0x20, 1 << 31, 2) == 0 && result(0x20, 3, 2) == 1)
        #expect(result(0x30, 5, 0) == 0 && result(0x30, 5, 6) == 0 && result(0x30, 6, 6) == 1)
        #expect(result(0x40, 0, 0) == 0 && result(0x50, 5, 2) == 0 && result(0x50, 7, 2) == 1)
        #expect(result(0x60, 1, 32) == 0 && result(0x60, 1, 31) == 1 && result(0x70, 1, 1) == 0)
        #expect(
            result(0x80, 0, 9) == 0 && result(0x90, 6, 3) == 0 && result(0x90, 6, 0) == 0
                && result(0xa0, 5, 5) == 0)
    }

    @Test(
        "libpcap's interpreter says the same",
        arguments: [
            "tcp port 443 and host 192.0.2.7", "ip6 protochain 17", "vlan and udp", "len > 100 or icmp",
            "ether[0] & 1 = 0 and ip[0] & 0xf != 5", "tcp[tcpflags] & (tcp-syn|tcp-ack) != 0",
            "udp[8:4] % 3 = 1 or ip[2:2] - 20 > 40", "not arp and portrange 1-1023", "greater 60 and less 80",
        ])
    func besideLibpcap(expression: String) throws {
        let program = try ClassicProgram(compiling: expression)
        let reference = try PcapFilter(expression, isOptimised: false)
        var matched = 0
        for (number, packet) in RandomPackets(for: RandomRuleSet.make(seed: 3), seed: 3).prefix(500)
            .enumerated()
        {
            for bytes in [packet.bytes, Array(packet.bytes.prefix(number % 80))] {
                let length = packet.bytes.count
                let expected = reference.matches(bytes, length: length)
                #expect(program.matches(bytes, length: length) == expected)
                if expected { matched += 1 }
            }
        }
        #expect(matched > 0 || expression.contains("443"))
    }

    @Test("loops without an end are given up; what is no program matches nothing")
    func damaged() {
        let loop = ClassicProgram(expression: "x", instructions: [.init(code: 5, operand: .max)])
        #expect(!loop.matches([], length: 0))
        for code in UInt16(0)...255 {
            let program = ClassicProgram(expression: "x", instructions: [.init(code: code, operand: .max)])
            _ = program.matches([1, 2, 3, 4], length: 4)
        }
    }
}
