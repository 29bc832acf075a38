// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct LivenessTests {
    @Test("live on entry is what may be read before it is written", arguments: cases)
    func entry(name: String, program: [Instruction], registers: [Register]) {
        let live = Liveness(program + [.exit], in: 0..<program.count + 1)

        #expect(live.atEntry.registers == registers, "\(name)")
    }

    static let cases: [(String, [Instruction], [Register])] = [
        ("a constant", [.move(.r0, 2)], []),
        ("a move", [.move(.r6, .r1)], [.r1]),
        ("an operand and the changed register", [.add(.r2, .r3)], [.r2, .r3]),
        ("an immediate", [.add(.r2, 3)], [.r2]),
        ("an idiom for zero", [.xor(.r2, .r2), .subtract32(.r3, .r3)], []),
        ("xor of two", [.xor(.r2, .r3)], [.r2, .r3]),
        ("a move with sign extension", [.moveSigned(.r2, .r3, bits: 8)], [.r3]),
        ("a negation", [.negate(.r4)], [.r4]),
        ("a byte swap, whose bit 3 is no register", [.toBigEndian(.r4, bits: 16)], [.r4]),
        ("a load", [.load(.word, .r2, from: .r3)], [.r3]),
        ("a store", [.store(.word, .r2, to: .r10)], [.r2, .r10]),
        ("a store of a constant", [.storeImmediate(.word, 2, to: .r4)], [.r4]),
        ("a call reads nothing", [.call(helper: 1), .move(.r6, .r0)], []),
        ("a call leaves no arguments", [.call(helper: 1), .move(.r6, .r1)], []),
        ("an atomic", [.atomicAdd(.word, .r2, to: .r3)], [.r2, .r3]),
        ("a fetch writes", [.atomic(.fetchAdd, .word, .r2, to: .r3), .move(.r6, .r2)], [.r2, .r3]),
        ("a compare-exchange", [.atomic(.compareExchange, .word, .r2, to: .r3)], [.r0, .r2, .r3]),
        ("an acquire", [.atomic(.loadAcquire, .word, .r3, to: .r2)], [.r3]),
        ("a 64-bit load", Instruction.loadMap(.r1, index: 0) + [.move(.r2, .r1)], []),
        ("a legacy load", [Instruction(Opcode(rawValue: 0x30)), .move(.r7, .r0)], [.r6]),
        ("a legacy load by register", [Instruction(Opcode(rawValue: 0x50), source: .r8)], [.r6, .r8]),
        ("a comparison", [.jump(.equal, .r2, .r3, 0)], [.r2, .r3]),
        ("a comparison with a constant", [.jump32(.equal, .r2, 3, 0)], [.r2]),
        ("may_goto", [.mayGoto(0)], []),
        (
            "one of two paths reads",
            [.jump(.equal, .r1, 0, 1), .jump(1), .move(.r0, .r9)], [.r1, .r9]
        ),
        (
            "both paths write",
            [.jump(.equal, .r1, 0, 2), .move(.r2, 1), .jump(1), .move(.r2, 2), .move(.r0, .r2)], [.r1]
        ),
        (
            "a loop reads what it writes later",
            [.add(.r1, .r7), .move(.r7, 1), .jump(.less, .r1, 10, -3)], [.r1, .r7]
        ),
        ("behind a loop without exit nothing is read", [.jump(-1), .move(.r0, .r9)], []),
        ("behind a may_goto", [.mayGoto(1), .move(.r8, 0), .move(.r0, .r8)], [.r8]),
    ]

    @Test("liveness is known before every instruction")
    func inside() {
        let program: [Instruction] = [
            .move(.r6, .r1), .move(.r2, 1), .add(.r6, .r2), .move(.r0, .r6), .exit,
        ]
        let live = Liveness(program, in: 0..<5)

        #expect((0..<5).map { live.before($0).registers } == [[.r1], [.r6], [.r2, .r6], [.r6], []])
        #expect(live.before(5).isEmpty)
        #expect(live.before(-1).isEmpty)
    }
}
