// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

extension ProgramImage {
    /// A program that keeps its processor busy for a time with each packet: a millisecond is one on every machine, also in
    /// emulation.
    static func slow(
        microseconds: Int32, _ verdict: Verdict, for attachType: AttachType = .xdp
    ) throws -> ProgramImage {
        // bpf_ktime_get_ns
        let time = Instruction.call(helper: 5)
        var code = Assembler()
        let more = code.label()
        let end = code.label()
        code.append(time)
        code.append(.move(.r6, .r0))
        // The verifier walks through every round, and takes a million instructions. A look at the clock takes some 30 ns, so
        // these are a millisecond or more.
        code.append(.move(.r7, 40_000))
        code.place(more)
        code.append(.add(.r7, -1))
        code.jump(.equal, .r7, 0, to: end)
        code.append(time)
        code.append(.subtract(.r0, .r6))
        // The way on is the jump: the verifier takes the other one first, and need not remember it.
        code.jump(.less, .r0, microseconds * 1000, to: more)
        code.place(end)
        code.append(.move(.r0, Int32(verdict.rawValue)))
        code.append(.exit)
        let assembled = try code.assemble(longJumps: false)
        var image = ProgramImage(name: "slow", instructions: assembled.instructions, license: "GPL")
        image.attachType = attachType
        return image
    }
}
