// SPDX-License-Identifier: Apache-2.0
import Foundation
import PcapSupport
import TestSupport
import Testing

@testable import Capture

/// Programs that libpcap would never write, of all instructions and with numbers that go from block to block.
@Suite("Programs of libpcap's machine")
struct ClassicRandomTests {
    private static let count =
        100 * (ProcessInfo.processInfo.environment["XDP_SEEDS"].flatMap { Int($0) } ?? 30)

    private static func operation(_ random: inout SeededGenerator, left: Int) -> (
        ClassicOperation, UInt8, UInt8
    ) {
        func pick<Option>(_ options: [Option]) -> Option {
            options[Int(random.next() % UInt64(options.count))]
        }
        let number: UInt32 = pick([
            0, 1, 2, 12, 14, 20, 31, 0x800, 0xff, .max, UInt32(truncatingIfNeeded: random.next()),
        ])
        let register: ClassicRegister = pick([.accumulator, .index])
        let operand: ClassicOperand = pick([.constant(number), .constant(number), .index])
        let size: ClassicSize = pick([.byte, .half, .word])
        let place = Int(random.next() % 4)
        func distance() -> UInt8 { UInt8(random.next() % UInt64(min(max(left - 1, 1), 6))) }
        switch random.next() % 16 {
        case 0, 1:
            return (.packet(size, offset: pick([0, 12, 14, 20, 23, 26, 58, 100]), isIndexed: false), 0, 0)
        case 2: return (.packet(size, offset: pick([0, 2, 14, .max]), isIndexed: true), 0, 0)
        case 3: return (.headerLength(pick([14, 18, 60])), 0, 0)
        case 4: return (.constant(register, pick([0, 4, number])), 0, 0)
        case 5: return (.length(register), 0, 0)
        case 6: return (.load(register, memory: place), 0, 0)
        case 7: return (.store(register, memory: place), 0, 0)
        case 8, 9: return (.arithmetic(pick(ClassicArithmetic.allCases), operand), 0, 0)
        case 10: return (pick([.negate, .copyToIndex, .copyToAccumulator]), 0, 0)
        case 11: return (pick([.returnConstant(0), .returnConstant(7), .returnAccumulator]), 0, 0)
        case 12: return (.goto(Int32(distance())), 0, 0)
        default:
            let condition: ClassicCondition = pick([.equal, .equal, .greater, .greaterOrEqual, .anyBitSet])
            return (.branch(condition, operand), distance(), distance())
        }
    }

    private static func program(_ random: inout SeededGenerator) -> ClassicProgram? {
        let count = Int(random.next() % 30) + 3
        var instructions: [ClassicInstruction] = []
        // Memory is written first, or most programs would be refused.
        for place in 0..<4 {
            instructions.append(ClassicOperation.store(.accumulator, memory: place).instruction)
        }
        for index in 0..<count {
            let (operation, ifTrue, ifFalse) = operation(&random, left: count - index)
            var instruction = operation.instruction
            (instruction.ifTrue, instruction.ifFalse) = (ifTrue, ifFalse)
            instructions.append(instruction)
        }
        for answer: UInt32 in [1, 0] {
            instructions.append(ClassicOperation.returnConstant(answer).instruction)
        }
        let program = ClassicProgram(expression: "random", instructions: instructions)
        return (try? program.check()) == nil ? nil : program
    }

    @Test("shortened and translated they say what they said")
    func meaning() throws {
        var random = SeededGenerator(seed: 21)
        var frames = PcapFrame(seed: 22)
        frames.longOneIn = 200
        var (right, matched, shorter, cases) = (0, 0, 0, 0)
        for number in 0..<Self.count {
            guard let program = Self.program(&random) else { continue }
            right += 1
            let optimized = program.optimized
            try optimized.check()
            let theirs = try #require(PcapFilter(program))
            let ours = try #require(PcapFilter(optimized))
            shorter += optimized.instructions.count < program.instructions.count ? 1 : 0
            var abilities = CaptureAbilities()
            abilities.hasBufferAccess = number % 2 == 0
            let machine = try ExpressionMachine(
                ExpressionCode(program, abilities: abilities, isOptimized: number % 4 < 2))
            for _ in 0..<6 {
                let bytes = frames.next()
                let expected = theirs.matches(bytes)
                let isSplit = number % 2 == 0 && cases % 3 != 0
                let isSame =
                    try ours.matches(bytes) == expected
                    && machine.matches(
                        bytes, linear: isSplit ? bytes.count / 2 : bytes.count, isOneBuffer: !isSplit)
                        == expected
                guard isSame else {
                    Issue.record("\(expected) of \(bytes)\n\(program.text)\n\n\(optimized.text)")
                    return
                }
                cases += 1
                matched += expected ? 1 : 0
            }
        }
        #expect(right > Self.count / 3 && shorter > right / 2)
        #expect(matched > cases / 20 && matched < cases * 19 / 20)
    }
}
