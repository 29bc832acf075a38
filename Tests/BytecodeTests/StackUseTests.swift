// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct StackUseTests {
    @Test("the depth is the lowest byte that a function can touch, rounded up to eight", arguments: cases)
    func depth(name: String, program: [Instruction], depth: Int) {
        #expect(StackUse.depth(of: ControlFlowGraph(program + [.exit])) == depth, "\(name)")
    }

    static let cases: [(String, [Instruction], Int)] = [
        ("no stack", [.move(.r0, 2)], 0),
        ("a store", [.storeImmediate(.word, 0, to: .r10, offset: -4)], 8),
        ("a load", [.load(.doubleWord, .r1, from: .r10, offset: -24)], 24),
        ("an atomic", [.atomicAdd(.doubleWord, .r1, to: .r10, offset: -16)], 16),
        ("an address for a helper", [.move(.r2, .r10), .add(.r2, -36), .call(helper: 1)], 40),
        ("a subtraction", [.move(.r2, .r10), .subtract(.r2, 40)], 40),
        ("a copy of a copy", [.move(.r2, .r10), .add(.r2, -8), .move(.r6, .r2), .add(.r6, -8)], 16),
        ("an access by a copy", [.move(.r2, .r10), .store(.doubleWord, .r1, to: .r2, offset: -48)], 48),
        ("an overwritten copy", [.move(.r2, .r10), .move(.r2, 0), .add(.r2, -400)], 0),
        ("a copy lost in a call", [.move(.r2, .r10), .call(helper: 1), .add(.r2, -400)], 0),
        (
            "the lower of two paths",
            [
                .move(.r2, .r10), .add(.r2, -8), .jump(.equal, .r1, 0, 1), .add(.r2, -32),
                .storeImmediate(.byte, 0, to: .r2, offset: -1),
            ], 48
        ),
        (
            "code that cannot run does not count",
            [.jump(1), .storeImmediate(.word, 0, to: .r10, offset: -200), .move(.r0, 0)], 0
        ),
        (
            "a spilled address",
            [
                .move(.r2, .r10), .add(.r2, -64), .store(.doubleWord, .r2, to: .r10, offset: -8),
                .move(.r2, 0),
                .load(.doubleWord, .r3, from: .r10, offset: -8),
                .storeImmediate(.byte, 1, to: .r3, offset: -8),
            ], 72
        ),
        (
            "a spill of something else",
            [
                .store(.doubleWord, .r1, to: .r10, offset: -8),
                .load(.doubleWord, .r3, from: .r10, offset: -8),
                .add(.r3, -400),
            ], 8
        ),
        (
            "an index that is not negative",
            [.and(.r1, 7), .move(.r2, .r10), .add(.r2, -16), .add(.r2, .r1), .load(.byte, .r0, from: .r2)], 16
        ),
        (
            "a 32-bit index, with the address added to it",
            [
                .load(.word, .r1, from: .r1), .shiftLeft(.r1, 3), .add(.r1, .r10),
                .load(.byte, .r0, from: .r1, offset: -24),
            ], 24
        ),
        (
            "an unknown index",
            [.load(.doubleWord, .r1, from: .r1), .move(.r2, .r10), .add(.r2, .r1)], 512
        ),
        ("unknown arithmetic", [.move(.r2, .r10), .and(.r2, -8)], 512),
        ("a written frame pointer", [.add(.r10, -8)], 512),
        ("below the frame", [.storeImmediate(.word, 0, to: .r10, offset: -513)], 512),
        (
            "an address that falls in a loop",
            [.move(.r2, .r10), .add(.r2, -1), .jump(.equal, .r1, 0, -2)], 512
        ),
        (
            "an address that rises in a loop",
            [.move(.r2, .r10), .add(.r2, -80), .add(.r2, 8), .jump(.equal, .r1, 0, -2)], 80
        ),
        ("above the frame", [.storeImmediate(.word, 0, to: .r10, offset: 8)], 0),
    ]

    @Test("frames of a chain of calls add up, each rounded, an empty one too")
    func combined() throws {
        // main (40 bytes) calls 1 (none), which calls 2 (24 bytes); a callback 3 (200 bytes) runs on main.
        var assembler = Assembler()
        let functions = (0..<3).map { _ in assembler.label() }
        assembler.append(.storeImmediate(.doubleWord, 0, to: .r10, offset: -40))
        assembler.call(to: functions[0])
        assembler.loadFunction(.r2, functions[2])
        assembler.append(.exit)
        assembler.place(functions[0])
        assembler.call(to: functions[1])
        assembler.append(.exit)
        assembler.place(functions[1])
        assembler.append([.storeImmediate(.doubleWord, 0, to: .r10, offset: -24), .exit])
        assembler.place(functions[2])
        assembler.append([.storeImmediate(.doubleWord, 0, to: .r10, offset: -200), .exit])
        let program = try assembler.assemble(longJumps: false).instructions

        let use = StackUse(program, layout: try ProgramLayout(program))

        #expect(use.depths == [40, 0, 24, 200])
        #expect(use.main == 40)
        #expect(use.combinedDepth(rounding: 16) == 48 + 208)
        #expect(use.combinedDepth(rounding: 32) == 64 + 224)
        #expect(use.combinedDepth(from: 1, rounding: 16) == 16 + 32)
        #expect(use.combinedDepth(from: 9, rounding: 16) == 0)
    }
}
