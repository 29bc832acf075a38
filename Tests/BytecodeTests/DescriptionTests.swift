// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct DescriptionTests {
    @Test("instructions read as in the verifier's log", arguments: forms)
    func form(instruction: Instruction, text: String) {
        #expect(instruction.description == text)
    }

    static let forms: [(Instruction, String)] = [
        (.move(.r6, .r1), "r6 = r1"), (.move(.r0, -2), "r0 = -2"), (.move32(.r6, .r1), "w6 = w1"),
        (.moveSigned(.r1, .r2, bits: 8), "r1 = (s8)r2"), (.add(.r2, -8), "r2 += -8"),
        (.subtract32(.r2, .r3), "w2 -= w3"), (.arithmeticShiftRight(.r1, 3), "r1 s>>= 3"),
        (
            Instruction(Opcode(.alu64, .divide, .immediate), destination: .r1, offset: 1, immediate: 3),
            "r1 s/= 3"
        ),
        (.negate32(.r4), "w4 = -w4"), (.toBigEndian(.r4, bits: 16), "r4 = be16 r4"),
        (.toLittleEndian(.r4, bits: 32), "r4 = le32 r4"), (.byteSwap(.r4, bits: 64), "r4 = bswap64 r4"),
        (.load(.doubleWord, .r1, from: .r10, offset: -8), "r1 = *(u64 *)(r10 -8)"),
        (.load(.word, .r1, from: .r2), "r1 = *(u32 *)(r2 +0)"),
        (.loadSigned(.byte, .r1, from: .r2, offset: 3), "r1 = *(s8 *)(r2 +3)"),
        (.store(.halfWord, .r1, to: .r2, offset: 4), "*(u16 *)(r2 +4) = r1"),
        (.storeImmediate(.doubleWord, 0, to: .r10, offset: -16), "*(u64 *)(r10 -16) = 0"),
        (.atomicAdd(.doubleWord, .r1, to: .r2), "lock *(u64 *)(r2 +0) += r1"),
        (.atomic(.fetchAdd, .word, .r1, to: .r2), "r1 = atomic_fetch_add((u32 *)(r2 +0), r1)"),
        (.atomic(.exchange, .doubleWord, .r1, to: .r2), "r1 = atomic64_xchg((u64 *)(r2 +0), r1)"),
        (
            .atomic(.compareExchange, .doubleWord, .r1, to: .r2),
            "r0 = atomic64_cmpxchg((u64 *)(r2 +0), r0, r1)"
        ),
        (.jump32(.equal, .r0, 2, 1), "if w0 == 0x2 goto pc+1"),
        (.jump(.notEqual, .r0, -1, -4), "if r0 != 0xffffffff goto pc-4"),
        (.jump(.signedGreater, .r1, .r2, 0), "if r1 s> r2 goto pc+0"),
        (.jump(.anyBitSet, .r1, 0x10, 3), "if r1 & 0x10 goto pc+3"),
        (.jump(5), "goto pc+5"), (.longJump(-70000), "gotol pc-70000"), (.mayGoto(2), "may_goto pc+2"),
        (Instruction(.indirectJump, destination: .r3), "gotox r3"),
        (.call(helper: 1), "call 1"), (.call(relative: 7), "call pc+7"), (.exit, "exit"),
        (.call(kernelFunction: 77), "call kernel-function#77"),
        (Instruction(Opcode(rawValue: 0x30), immediate: 12), "r0 = *(u8 *)skb[12]"),
        (Instruction(Opcode(rawValue: 0x50), source: .r7, immediate: 12), "r0 = *(u8 *)skb[r7 + 12]"),
        (Instruction(Opcode(rawValue: 0xf7)), "unknown 0xf7"),
        (Instruction(Opcode(rawValue: 0xe6)), "unknown 0xe6"),
    ]

    @Test("a listing numbers instructions and joins the halves of a 64-bit load")
    func listing() {
        let program =
            Instruction.loadImmediate64(.r1, 0x1_0000_0002) + Instruction.loadMap(.r2, index: 3)
            + Instruction.loadMapValue(.r3, index: 4, offset: 8) + [.exit]

        let lines = Instruction.listing(program)

        #expect(
            lines == [
                "0: (18) r1 = 0x100000002", "2: (18) r2 = map[idx:3]", "4: (18) r3 = map[idx:4][0]+8",
                "6: (95) exit",
            ])
    }

    @Test("errors are one sentence and name the instruction")
    func errors() {
        #expect(
            BytecodeError(.targetOutside(target: 9), at: 3).description
                == "Instruction 3 leads to instruction 9, outside of its bounds.")
        #expect(BytecodeError(.empty).description == "The bytecode has no instructions.")
        #expect(RegisterSet([.init(.r1), .init(.r6)]).description == "{r1, r6}")
    }
}
