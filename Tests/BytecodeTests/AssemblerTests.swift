// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct AssemblerTests {
    @Test("labels give jumps and calls their distances, forwards and backwards")
    func distances() throws {
        var assembler = Assembler()
        let start = assembler.labelHere()
        let end = assembler.label()
        let function = assembler.label()
        assembler.jump32(.equal, .r0, 2, to: end)
        assembler.call(to: function)
        assembler.loadFunction(.r2, function)
        let mark = assembler.mark()
        assembler.append([.move(.r0, 0), .jump(-2)])
        assembler.jump(to: start)
        assembler.place(end)
        assembler.append(.exit)
        assembler.place(function)
        assembler.append(.exit)

        let assembly = try assembler.assemble(longJumps: false)

        #expect(
            assembly.instructions == [.jump32(.equal, .r0, 2, 6), .call(relative: 6)]
                + Instruction.loadFunction(.r2, relative: 5) + [
                    .move(.r0, 0), .jump(-2), .jump(-7), .exit, .exit,
                ])
        #expect(assembly.position(of: start) == 0)
        #expect(assembly.position(of: end) == 7)
        #expect(assembly.position(of: function) == 8)
        #expect(assembly.position(of: mark) == 4)
        #expect(assembly.relaxedJumps == 0)
    }

    /// `first`, then a jump to the end over this many instructions, then r0 = 1 and the exit.
    private func far(_ between: Int, _ record: (inout Assembler, Label) -> Void) -> (Assembler, Label, Mark) {
        var assembler = Assembler()
        let end = assembler.label()
        record(&assembler, end)
        let mark = assembler.mark()
        for _ in 0..<between { assembler.append(.move(.r0, 9)) }
        assembler.place(end)
        assembler.append(.exit)
        return (assembler, end, mark)
    }

    @Test("a goto of 32 767 fits, one of 32 768 becomes a gotol")
    func gotoBoundary() throws {
        let (near, _, _) = far(32_767) { $0.jump(to: $1) }
        let (tooFar, end, _) = far(32_768) { $0.jump(to: $1) }

        #expect(try near.assemble(longJumps: false).instructions[0] == .jump(.max))
        let assembly = try tooFar.assemble(longJumps: true)
        #expect(assembly.instructions[0] == .longJump(32_768))
        #expect(assembly.position(of: end) == 32_769)
        #expect(assembly.relaxedJumps == 1)
        #expect(throws: BytecodeError(.jumpTooLong(distance: 32_768), at: 0)) {
            try tooFar.assemble(longJumps: false)
        }
    }

    @Test("a far conditional jump becomes its inversion over a gotol, and everything behind moves")
    func conditional() throws {
        let (assembler, end, mark) = far(40_000) { $0.jump32(.equal, .r0, 2, to: $1) }

        let assembly = try assembler.assemble(longJumps: true)

        #expect(Array(assembly.instructions[0..<2]) == [.jump32(.notEqual, .r0, 2, 1), .longJump(40_000)])
        #expect(assembly.position(of: mark) == 2)
        #expect(assembly.position(of: end) == 40_002)
        #expect(assembly.position(ofRecorded: 0) == 0)
        #expect(assembly.position(ofRecorded: 1) == 2)
        #expect(assembly.position(ofRecorded: 40_001) == 40_002)
        #expect(throws: BytecodeError(.jumpTooLong(distance: 40_000), at: 0)) {
            try assembler.assemble(longJumps: false)
        }
    }

    @Test("a far jump without an inversion goes around a gotol")
    func withoutInversion() throws {
        let (bits, _, _) = far(40_000) { $0.jump(.anyBitSet, .r1, .r2, to: $1) }
        let (budget, _, _) = far(40_000) { $0.append(.mayGoto(0), to: $1) }

        let first = try bits.assemble(longJumps: true).instructions
        let second = try budget.assemble(longJumps: true).instructions

        #expect(Array(first[0..<3]) == [.jump(.anyBitSet, .r1, .r2, 1), .jump(1), .longJump(40_000)])
        #expect(Array(second[0..<3]) == [.mayGoto(1), .jump(1), .longJump(40_000)])
    }

    @Test("widening one jump can make another too short")
    func cascade() throws {
        var assembler = Assembler()
        let near = assembler.label()
        let end = assembler.label()
        assembler.jump(.equal, .r1, 0, to: near)  // exactly 32 767, until the next one grows
        assembler.jump(.equal, .r1, 0, to: end)
        for _ in 0..<32_766 { assembler.append(.move(.r0, 9)) }
        assembler.place(near)
        assembler.append([.move(.r0, 8), .move(.r0, 8)])
        assembler.place(end)
        assembler.append(.exit)

        let assembly = try assembler.assemble(longJumps: true)

        #expect(assembly.relaxedJumps == 2)
        #expect(assembly.position(of: near) == 32_770)
        #expect(assembly.instructions[1] == .longJump(32_768))
        #expect(assembly.instructions[3] == .longJump(32_768))
    }

    @Test("a far backward conditional jump leads to its label")
    func backwards() throws {
        var assembler = Assembler()
        let start = assembler.labelHere()
        for _ in 0..<40_000 { assembler.append(.move(.r0, 9)) }
        assembler.jump(.less, .r1, 3, to: start)
        assembler.append(.exit)

        let assembly = try assembler.assemble(longJumps: true)

        #expect(assembly.instructions[40_000] == .jump(.greaterOrEqual, .r1, 3, 1))
        #expect(assembly.instructions[40_001] == .longJump(-40_002))
    }

    @Test("misuse is told by assemble")
    func misuse() {
        var unplaced = Assembler()
        let nowhere = unplaced.label()
        unplaced.append(.exit)
        unplaced.jump(to: nowhere)
        var twice = Assembler()
        let label = twice.labelHere()
        twice.append(.exit)
        twice.place(label)
        var foreign = Assembler()
        foreign.place(nowhere)
        var noJump = Assembler()
        noJump.append(.exit, to: noJump.label())

        #expect(throws: BytecodeError(.unplacedLabel, at: 1)) { try unplaced.assemble(longJumps: true) }
        #expect(throws: BytecodeError(.labelPlacedTwice, at: 1)) { try twice.assemble(longJumps: true) }
        #expect(throws: BytecodeError(.unplacedLabel, at: 0)) { try foreign.assemble(longJumps: true) }
        #expect(throws: BytecodeError(.notAJump, at: 0)) { try noJump.assemble(longJumps: true) }
    }

    @Test("a ready-made jump over one that grew is refused, not silently wrong")
    func readyJumps() {
        let (assembler, _, _) = far(40_000) {
            $0.append(.jump(1))
            $0.jump(.equal, .r1, 0, to: $1)
        }

        #expect(throws: BytecodeError(.jumpOverWidened, at: 0)) { try assembler.assemble(longJumps: true) }
    }

    @Test("a random program does the same near and far", arguments: UInt64(1)...40)
    func sameMeaning(seed: UInt64) throws {
        let near = try RandomProgram(seed: seed, padding: 0).assembler.assemble(longJumps: false)
        let far = try RandomProgram(seed: seed, padding: 6_000).assembler.assemble(longJumps: true)
        _ = try ProgramLayout(near.instructions)
        _ = try ProgramLayout(far.instructions)

        for r1: UInt64 in [0, 1, 7, 0xffff_ffff, .max] {
            var nearMachine = Interpreter(near.instructions)
            var farMachine = Interpreter(far.instructions)
            #expect(try nearMachine.run(r1: r1) == farMachine.run(r1: r1))
        }
        #expect(near.relaxedJumps == 0)
        #expect(far.relaxedJumps > 0)
    }

    @Test("a hundred thousand instructions and twenty thousand jumps assemble")
    func large() throws {
        var assembler = Assembler()
        let end = assembler.label()
        for _ in 0..<20_000 {
            assembler.append([.move(.r0, 1), .move(.r0, 1), .move(.r0, 1), .move(.r0, 1)])
            assembler.jump32(.notEqual, .r0, 1, to: end)
        }
        assembler.place(end)
        assembler.append(.exit)

        let assembly = try assembler.assemble(longJumps: true)

        #expect(assembly.position(of: end) == assembly.instructions.count - 1)
        #expect(assembly.instructions.count > 110_000)
        _ = try ProgramLayout(assembly.instructions)
    }
}

/// Blocks that compute on r0 and jump forwards to other blocks on random conditions, with dead padding between
/// them that makes the same jumps far.
private struct RandomProgram {
    private(set) var assembler = Assembler()

    init(seed: UInt64, padding: Int) {
        var random = SeededGenerator(seed: seed)
        let blocks = 12
        let labels = (0...blocks).map { _ in assembler.label() }
        assembler.append([.move(.r0, .r1), .move(.r6, 3)])
        for block in 0..<blocks {
            assembler.place(labels[block])
            assembler.append(.multiply(.r0, Int32.random(in: -9...9, using: &random)))
            assembler.append(.add32(.r0, Int32(block)))
            let target = block == 0 ? blocks : Int.random(in: block + 1...blocks, using: &random)
            let condition = Condition.allCases.randomElement(using: &random) ?? .equal
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                assembler.jump(condition, .r0, Int32.random(in: -40...40, using: &random), to: labels[target])
            case 1: assembler.jump32(condition, .r0, .r6, to: labels[target])
            case 2: assembler.jump32(condition, .r0, 7, to: labels[target])
            default: assembler.jump(condition, .r0, .r6, to: labels[target])
            }
            assembler.jump(to: labels[block + 1])
            for _ in 0..<padding { assembler.append(.add(.r0, 1)) }
        }
        assembler.place(labels[blocks])
        assembler.append(.exit)
    }
}
