// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct HostileBytecodeTests {
    @Test("twenty thousand mutated programs neither crash nor hang")
    func mutations() {
        var random = SeededGenerator(seed: 0x5eed)
        var valid = 0
        for _ in 0..<20_000 {
            let bytes = Self.mutated(Self.seeds.randomElement(using: &random) ?? [], &random)
            if Self.analyse(bytes) { valid += 1 }
        }
        // Were none valid, the analyses behind the layout would not have been tried.
        #expect(valid > 1_000)
    }

    @Test("random instructions neither crash nor hang", arguments: UInt64(1)...8)
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let instructions = (0..<40).map { _ in Instruction(encoded: random.next()) }
            _ = Self.analyse(Instruction.encode(instructions))
        }
    }

    @Test("deep and wide programs end in time")
    func large() throws {
        // A ladder of loops, each with a frame address that falls and one that is spilled.
        var ladder: [Instruction] = [.move(.r2, .r10)]
        for step in 0..<2_000 {
            ladder += [
                .add(.r2, -1), .store(.doubleWord, .r2, to: .r10, offset: Int16(-8 * (step % 64) - 8)),
                .jump(.equal, .r1, 0, Int16(-3 - step % 9)),
            ]
        }
        #expect(StackUse.depth(of: ControlFlowGraph(ladder + [.exit])) == 512)

        // As many functions as there can be, each passing the address of every other.
        var assembler = Assembler()
        let functions = (0..<256).map { _ in assembler.label() }
        for function in functions {
            assembler.place(function)
            for other in functions { assembler.loadFunction(.r2, other) }
            assembler.append(.exit)
        }
        let layout = try ProgramLayout(try assembler.assemble(longJumps: true).instructions)
        #expect(layout.rearmsCallbacks)
        #expect(layout.maximumFrames == 1)
    }

    /// Every analysis, over bytes; whether they were a program.
    private static func analyse(_ bytes: [UInt8]) -> Bool {
        guard let instructions = try? Instruction.decode(bytes) else { return false }
        _ = Instruction.listing(instructions)
        // Also without a valid layout: these take every range.
        let whole = ControlFlowGraph(instructions)
        _ = Liveness(whole).atEntry
        _ = StackUse.depth(of: whole)
        guard let layout = try? ProgramLayout(instructions) else { return false }
        _ = StackUse(instructions, layout: layout).combinedDepth(rounding: 32)
        for range in layout.subprograms {
            _ = Liveness(instructions, in: range).before(range.lowerBound)
        }
        var machine = Interpreter(instructions)
        machine.instructionLimit = 500
        _ = try? machine.run()
        return true
    }

    private static func mutated(_ program: [Instruction], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Instruction.encode(program)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard let place = bytes.indices.randomElement(using: &random) else { break }
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[place] = [0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
            case 3: bytes.removeLast(Int.random(in: 0...min(16, bytes.count), using: &random))
            default:
                bytes.insert(
                    contentsOf: bytes[(place & ~7)..<min((place & ~7) + 8, bytes.count)], at: place & ~7)
            }
        }
        return bytes
    }

    private static let seeds: [[Instruction]] =
        [ProgramLayoutTests.program, ControlFlowGraphTests.program]
        + StackUseTests.cases.map { $0.1 + [.exit] } + LivenessTests.cases.map { $0.1 + [.exit] }
}
