// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct InterpreterTests {
    @Test("arithmetic gives what the instruction set says", arguments: arithmetic)
    func computes(program: [Instruction], result: UInt64) throws {
        var machine = Interpreter(program + [.exit])

        #expect(try machine.run() == result)
    }

    static let arithmetic: [([Instruction], UInt64)] = [
        ([.move(.r0, -1)], .max), ([.move32(.r0, -1)], 0xffff_ffff),
        ([.move(.r0, 7), .add(.r0, -9)], .max - 1), ([.move(.r0, 7), .subtract32(.r0, 8)], 0xffff_ffff),
        ([.move(.r0, 7), .divide(.r0, 0)], 0), ([.move(.r0, 7), .modulo(.r0, 0)], 7),
        ([.move(.r0, -7), .divide(.r0, 2)], 0x7fff_ffff_ffff_fffc),
        ([.move(.r0, -8), .arithmeticShiftRight(.r0, 1)], .max - 3),
        ([.move32(.r0, -8), .arithmeticShiftRight32(.r0, 1)], 0xffff_fffc),
        ([.move(.r0, 1), .shiftLeft(.r0, 65)], 2), ([.move(.r0, 5), .negate32(.r0)], 0xffff_fffb),
        ([.move(.r0, 0x1234), .toBigEndian(.r0, bits: 16)], 0x3412),
        ([.move(.r0, 0x1234_5678), .toLittleEndian(.r0, bits: 16)], 0x5678),
        ([.move(.r1, 0xff), .moveSigned(.r0, .r1, bits: 8)], .max),
        (Instruction.loadImmediate64(.r0, 0x0123_4567_89ab_cdef), 0x0123_4567_89ab_cdef),
        ([.move(.r0, 6), .xor(.r0, 3), .or(.r0, 8), .and(.r0, 0xc)], 0xc),
    ]

    @Test("the stack and the caller's memory are separate, and little-endian")
    func memory() throws {
        let context = InterpreterMemory.Region(address: 0x1000, bytes: [1, 2, 3, 4, 5, 6, 7, 8])
        var machine = Interpreter(
            [
                .load(.word, .r2, from: .r1, offset: 4), .store(.doubleWord, .r2, to: .r10, offset: -8),
                .move(.r3, 1), .atomicAdd(.word, .r3, to: .r10, offset: -8),
                .load(.halfWord, .r0, from: .r10, offset: -8), .store(.byte, .r0, to: .r1), .exit,
            ], memory: InterpreterMemory([context]))

        #expect(try machine.run(r1: 0x1000) == 0x0606)
        #expect(machine.memory.regions[0].bytes == [6, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("a subprogram keeps r6 to r9 and the frame of its caller, and spoils r1 to r5")
    func calls() throws {
        var machine = Interpreter([
            .move(.r6, 5), .storeImmediate(.doubleWord, 3, to: .r10, offset: -8), .move(.r1, 10),
            .call(relative: 4), .load(.doubleWord, .r2, from: .r10, offset: -8), .add(.r0, .r6),
            .add(.r0, .r2), .exit,
            .move(.r6, .r1), .storeImmediate(.doubleWord, 9, to: .r10, offset: -8), .move(.r0, .r6), .exit,
        ])

        #expect(try machine.run() == 18)
        #expect(machine.executed == 12)
        #expect(machine.executions == [Int](repeating: 1, count: 12))
        var spoiled = Interpreter([.move(.r1, 1), .call(helper: 5), .move(.r0, .r1), .exit])
        #expect(try spoiled.run() == Interpreter.poison)
    }

    @Test("helpers see the arguments and give the result")
    func helpers() throws {
        var machine = Interpreter(
            [.move(.r1, 20), .move(.r2, 2), .call(helper: 77), .exit],
            helper: { id, registers in UInt64(id) + registers[1] * registers[2] })

        #expect(try machine.run() == 117)
    }

    @Test("what goes wrong is thrown", arguments: failures)
    func throwsFailure(program: [Instruction], failure: Interpreter.Failure) {
        var machine = Interpreter(program)

        #expect(throws: failure) { try machine.run() }
    }

    static let failures: [([Instruction], Interpreter.Failure)] = [
        ([.move(.r0, 0)], .outsideProgram(index: 1)), ([.jump(-1)], .endless),
        ([.call(relative: -1)], .tooManyFrames(index: 0)),
        ([.load(.word, .r0, from: .r10)], .badAccess(index: 0, address: Interpreter.stackTop)),
        ([.add(.r10, 1)], .unsupported(index: 0, .add(.r10, 1))),
        (
            [Instruction.loadMap(.r0, index: 1)[0]],
            .unsupported(index: 0, Instruction.loadMap(.r0, index: 1)[0])
        ),
    ]
}
