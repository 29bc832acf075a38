// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct ProgramLayoutTests {
    /// main calls 5 and takes the address of 7; 5 calls 7.
    static let program: [Instruction] =
        [.call(relative: 4)] + Instruction.loadFunction(.r2, relative: 5) + [.move(.r0, 2), .exit]
        + [.call(relative: 1), .exit] + [.move(.r0, 0), .exit]

    @Test("functions start where calls and function loads lead")
    func functions() throws {
        let layout = try ProgramLayout(Self.program)

        #expect(layout.subprograms == [0..<5, 5..<7, 7..<9])
        #expect(layout.main == 0..<5)
        #expect(
            layout.calls.map { [$0.index, $0.caller, $0.callee] } == [[0, 0, 1], [1, 0, 2], [5, 1, 2]])
        #expect(layout.calls.map(\.kind) == [.call, .callback, .call])
        #expect(layout.subprogram(containing: 6) == 1)
        #expect(layout.subprogram(startingAt: 7) == 2)
        #expect(layout.subprogram(startingAt: 6) == nil)
        #expect(layout.subprogram(containing: 9) == nil)
        #expect(layout.subprogram(containing: -1) == nil)
        #expect(layout.maximumFrames == 3)
        #expect(layout.maximumFrames(from: 1) == 2)
        #expect(!layout.rearmsCallbacks)
    }

    @Test("a callback that passes itself on is no recursion")
    func rearming() throws {
        let layout = try ProgramLayout(
            Instruction.loadFunction(.r2, relative: 2) + [.exit] + Instruction.loadFunction(.r2, relative: -1)
                + [.exit])

        #expect(layout.rearmsCallbacks)
        #expect(layout.maximumFrames == 2)
    }

    @Test("a function may end in a kernel function call, which may not return")
    func throwing() throws {
        let layout = try ProgramLayout([.call(relative: 1), .exit, .call(kernelFunction: 99)])

        #expect(layout.subprograms == [0..<2, 2..<3])
    }

    @Test("what cannot be a program is refused with the instruction's index", arguments: refused)
    func refuses(program: [Instruction], error: BytecodeError) {
        #expect(throws: error) { try ProgramLayout(program) }
    }

    static let wide = Instruction.loadImmediate64(.r1, 1)
    static let refused: [([Instruction], BytecodeError)] = [
        ([], BytecodeError(.empty)),
        ([.move(.r0, 0)], BytecodeError(.missingExit, at: 0)),
        ([.exit, .move(.r0, 0), .jump(.equal, .r0, 0, -2)], BytecodeError(.missingExit, at: 2)),
        (wide, BytecodeError(.missingExit, at: 1)),
        ([wide[0]], BytecodeError(.cutWideInstruction, at: 0)),
        ([wide[0], .exit], BytecodeError(.cutWideInstruction, at: 0)),
        ([.jump(1)] + wide + [.exit], BytecodeError(.targetInsideWideInstruction(target: 2), at: 0)),
        (
            [.call(relative: 2), .exit] + wide + [.exit],
            BytecodeError(.targetInsideWideInstruction(target: 3), at: 0)
        ),
        ([.jump(1), .exit], BytecodeError(.targetOutside(target: 2), at: 0)),
        ([.jump(-2), .exit], BytecodeError(.targetOutside(target: -1), at: 0)),
        ([.longJump(.max), .exit], BytecodeError(.targetOutside(target: 1 + Int(Int32.max)), at: 0)),
        ([.call(relative: 1), .exit], BytecodeError(.targetOutside(target: 2), at: 0)),
        ([.call(relative: .min), .exit], BytecodeError(.targetOutside(target: 1 + Int(Int32.min)), at: 0)),
        ([.mayGoto(2), .call(relative: 1), .exit, .exit], BytecodeError(.targetOutside(target: 3), at: 0)),
        ([.call(relative: 1), .move(.r0, 0), .exit], BytecodeError(.missingExit, at: 1)),
        ([.call(relative: -1), .exit], BytecodeError(.recursion, at: 0)),
        (
            [.call(relative: 1), .exit, .call(relative: 1), .exit, .call(relative: -3), .exit],
            BytecodeError(.recursion, at: 2)
        ),
        ([Instruction(.indirectJump), .exit], BytecodeError(.indirectJump, at: 0)),
        (
            [Instruction(Opcode(rawValue: 0xe6)), .exit],
            BytecodeError(.unknownOpcode(Opcode(rawValue: 0xe6)), at: 0)
        ),
        (
            [Instruction(Opcode(rawValue: 0x00)), .exit],
            BytecodeError(.unknownOpcode(Opcode(rawValue: 0x00)), at: 0)
        ),
    ]

    @Test("more than 256 functions are refused")
    func tooMany() throws {
        func program(_ functions: Int) -> [Instruction] {
            // All calls lead equally far: the first to the first function behind main's exit, and so on.
            let calls = [Instruction](repeating: .call(relative: Int32(functions - 1)), count: functions - 1)
            return calls + [Instruction](repeating: .exit, count: functions)
        }
        #expect(try ProgramLayout(program(256)).subprograms.count == 256)
        #expect(throws: BytecodeError(.tooManySubprograms(count: 257))) { try ProgramLayout(program(257)) }
    }
}
