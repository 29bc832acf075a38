// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct ClassificationTests {
    @Test("jumps know their distance", arguments: jumps)
    func distance(instruction: Instruction, distance: Int?, fallsThrough: Bool) {
        #expect(instruction.jumpDistance == distance)
        #expect(instruction.fallsThrough == fallsThrough)
    }

    static let jumps: [(Instruction, Int?, Bool)] = [
        (.jump(-3), -3, false), (.longJump(-100_000), -100_000, false), (.mayGoto(4), 4, true),
        (.jump(.equal, .r1, 0, 9), 9, true), (.jump32(.less, .r1, .r2, -9), -9, true),
        (.exit, nil, false), (.call(helper: 12), nil, true), (.call(relative: 5), nil, true),
        (.move(.r0, 0), nil, true), (Instruction(.indirectJump), nil, false),
        (Instruction(Opcode(.jump32, .mayGoto, .immediate), offset: 2), nil, true),
    ]

    @Test("calls are told apart by their marker")
    func calls() {
        let helper = Instruction.call(helper: 12)
        let subprogram = Instruction.call(relative: 12)
        let kernel = Instruction.call(kernelFunction: 12)

        #expect(helper.helperCall == 12)
        #expect(helper.isTailCall)
        #expect(!helper.isSubprogramCall && !helper.isKernelFunctionCall)
        #expect(subprogram.isSubprogramCall && subprogram.helperCall == nil && !subprogram.isTailCall)
        #expect(kernel.isKernelFunctionCall && kernel.helperCall == nil)
        #expect(Instruction.exit.isExit && !Instruction.exit.isCall)
    }

    @Test("the marker of a 64-bit load and its kind translate both ways", arguments: UInt8(0)...15)
    func wideKinds(marker: UInt8) {
        let kind = WideKind(marker: marker)

        #expect(kind.marker == marker)
        #expect(Instruction.wide(kind, .r1, 0)[0].wideKind == kind)
    }

    @Test("an inverted condition holds exactly when the condition does not", arguments: Condition.allCases)
    func inversion(condition: Condition) throws {
        guard let inverted = condition.inverted else {
            #expect(condition == .anyBitSet)
            return
        }
        for (left, right) in [(1, 2), (2, 1), (2, 2), (-1, 1), (1, -1)] as [(Int32, Int32)] {
            let taken = try [condition, inverted].map { condition in
                var machine = Interpreter([
                    .move(.r1, left), .move(.r0, 1), .jump(condition, .r1, right, 1), .move(.r0, 0), .exit,
                ])
                return try machine.run()
            }
            #expect(taken[0] != taken[1])
        }
    }
}
