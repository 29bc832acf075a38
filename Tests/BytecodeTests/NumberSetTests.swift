// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Bytecode

/// Whatever the machine computes of numbers in two sets is in the set that is computed of the sets.
@Suite("Sets of numbers")
struct NumberSetTests {
    /// Numbers at which something happens, and random ones.
    private static func number(_ random: inout SeededGenerator) -> UInt64 {
        let edges: [UInt64] = [
            0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff,
            0x7fff_ffff,
            0x8000_0000, 0xffff_ffff, 0x1_0000_0000, .max >> 1, 1 << 63, .max, .max - 1,
            0xffff_ffff_8000_0000,
        ]
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return random.next()
        case 1: return random.next() >> UInt64.random(in: 0..<64, using: &random)
        case 2: return UInt64.random(in: 0..<20, using: &random)
        case 3: return 0 &- UInt64.random(in: 0..<20, using: &random)
        default:
            let near = Int64.random(in: -2...2, using: &random)
            return (edges.randomElement(using: &random) ?? 0) &+ UInt64(bitPattern: near)
        }
    }

    /// A set made in one of the ways in which an analysis comes by sets, and numbers that are in it.
    private static func sample(_ random: inout SeededGenerator) -> (set: NumberSet, numbers: [UInt64]) {
        var numbers = [number(&random)]
        var set = NumberSet(numbers[0])
        switch Int.random(in: 0..<7, using: &random) {
        case 0: break
        case 1:
            for _ in 0..<Int.random(in: 1..<30, using: &random) {
                let next = number(&random)
                numbers.append(next)
                set =
                    Bool.random(using: &random)
                    ? set.joined(NumberSet(next)) : set.widened(to: NumberSet(next))
            }
        case 2:
            let (first, second) = (Int64(bitPattern: number(&random)), Int64(bitPattern: number(&random)))
            let range = min(first, second)...max(first, second)
            set = NumberSet(from: range.lowerBound, through: range.upperBound)
            numbers = (0..<5).map { _ in UInt64(bitPattern: Int64.random(in: range, using: &random)) }
            numbers += [UInt64(bitPattern: range.lowerBound), UInt64(bitPattern: range.upperBound)]
        case 3:
            set = .full
            numbers = (0..<6).map { _ in number(&random) }
        case 4:
            let width = Int.random(in: 0...64, using: &random)
            set = NumberSet(bits: width)
            numbers = (0..<6).map { _ in width == 0 ? 0 : number(&random) >> UInt64(64 - width) }
        case 5:
            // Known bits of any kind.
            let (mask, bits) = (number(&random), number(&random))
            numbers = (0..<6).map { _ in (number(&random) & ~mask) | (bits & mask) }
            set = NumberSet.full.result(.and, NumberSet(~mask), is32: false)
                .result(.or, NumberSet(bits & mask), is32: false)
        default:
            // A range that goes through zero, and its lower half.
            let (start, span) = (
                number(&random), number(&random) >> UInt64.random(in: 0..<63, using: &random)
            )
            set = NumberSet.reduced(.unknown, CircularRange(start: start, span: span), .full) ?? .full
            numbers = (0..<6).map { _ in
                start &+ (span == .max ? number(&random) : number(&random) % (span + 1))
            }
            if Bool.random(using: &random) {
                set = set.lowHalf
                numbers = numbers.map { $0 & 0xffff_ffff }
            }
        }
        return (set, numbers)
    }

    @Test("hold the numbers that they were made of", arguments: 0..<UInt64(8))
    func samples(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let (set, numbers) = Self.sample(&random)
            for number in numbers {
                #expect(set.contains(number), "\(number) in \(set)")
                #expect(set.lowContains(UInt32(truncatingIfNeeded: number)))
                #expect(set.unsignedBounds.contains(number))
                #expect(set.signedBounds.contains(Int64(bitPattern: number)))
                #expect(set.lowHalf.contains(number & 0xffff_ffff))
            }
        }
    }

    /// Every arithmetic instruction, with r1 the destination and r2 the operand.
    static let instructions: [Instruction] = {
        var all: [Instruction] = []
        for operation in ArithmeticOperation.allCases where operation != .byteSwap && operation != .negate {
            for width in [InstructionClass.alu32, .alu64] {
                let offsets: [Int16] =
                    switch operation {
                    case .divide, .modulo: [0, 1]
                    case .move: width == .alu64 ? [0, 8, 16, 32] : [0, 8, 16]
                    default: [0]
                    }
                all += offsets.map {
                    Instruction(
                        Opcode(width, operation, .register), destination: .r1, source: .r2, offset: $0)
                }
            }
        }
        all += [.negate(.r1), .negate32(.r1)]
        for bits: Int32 in [16, 32, 64] {
            all += [
                .toBigEndian(.r1, bits: bits), .toLittleEndian(.r1, bits: bits), .byteSwap(.r1, bits: bits),
            ]
        }
        return all
    }()

    @Test("hold every result of an instruction on their numbers", arguments: instructions.indices)
    func results(place: Int) throws {
        let instruction = Self.instructions[place]
        var random = SeededGenerator(seed: UInt64(place))
        for _ in 0..<150 {
            let (left, lefts) = Self.sample(&random)
            let (right, rights) = Self.sample(&random)
            let result = NumberSet.result(of: instruction, left, right)
            for first in lefts.prefix(4) {
                for second in rights.prefix(4) {
                    let number = try Self.executed(instruction, first, second)
                    #expect(
                        result.contains(number),
                        "\(instruction): \(first), \(second) gives \(number), not in \(result)")
                }
            }
        }
    }

    /// What the tests' machine computes, which knows nothing of sets.
    private static func executed(
        _ instruction: Instruction, _ left: UInt64, _ right: UInt64
    ) throws -> UInt64 {
        let program =
            Instruction.loadImmediate64(.r1, left) + Instruction.loadImmediate64(.r2, right)
            + [instruction, .move(.r0, .r1), .exit]
        var machine = Interpreter(program)
        return try machine.run()
    }

    @Test("of one number each give the one result", arguments: instructions.indices)
    func constants(place: Int) throws {
        let instruction = Self.instructions[place]
        var random = SeededGenerator(seed: UInt64(place))
        for _ in 0..<60 {
            let (first, second) = (Self.number(&random), Self.number(&random))
            let result = NumberSet.result(of: instruction, NumberSet(first), NumberSet(second))
            #expect(result.members == [try Self.executed(instruction, first, second)])
        }
    }

    @Test("keep what a comparison leaves possible", arguments: Condition.allCases, [true, false])
    func comparisons(condition: Condition, is32: Bool) {
        var random = SeededGenerator(seed: UInt64(condition.rawValue) * 2 + (is32 ? 1 : 0))
        for _ in 0..<250 {
            let (left, lefts) = Self.sample(&random)
            let (right, rights) = Self.sample(&random)
            let both = [true, false].map { holds in
                NumberSet.compare(left, condition, right, is32: is32, holds: holds)
            }
            for first in lefts.prefix(4) {
                for second in rights.prefix(4) {
                    let holds = Self.holds(condition, first, second, is32: is32)
                    let found = both[holds ? 0 : 1]
                    #expect(
                        found?.left.contains(first) == true && found?.right.contains(second) == true,
                        "\(first) \(condition.sign) \(second) is \(holds), of \(left) and \(right): \(String(describing: found))"
                    )
                }
            }
        }
    }

    private static func holds(_ condition: Condition, _ left: UInt64, _ right: UInt64, is32: Bool) -> Bool {
        let program =
            Instruction.loadImmediate64(.r1, left) + Instruction.loadImmediate64(.r2, right) + [
                .move(.r0, 1), is32 ? .jump32(condition, .r1, .r2, 1) : .jump(condition, .r1, .r2, 1),
                .move(.r0, 0), .exit,
            ]
        var machine = Interpreter(program)
        return (try? machine.run()) == 1
    }

    @Test(
        "hold both where they are joined, and come to an end where they are widened", arguments: 0..<UInt64(8)
    )
    func joins(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<80 {
            let (left, lefts) = Self.sample(&random)
            let (right, rights) = Self.sample(&random)
            for set in [left.joined(right), right.joined(left), left.widened(to: right)] {
                #expect((lefts + rights).allSatisfy(set.contains))
            }
            let common = lefts.filter(right.contains)
            let both = left.intersected(right)
            #expect(common.allSatisfy { both?.contains($0) ?? false })

            var set = left
            var steps = 0
            for _ in 0..<200 {
                let next = set.widened(to: Self.sample(&random).set)
                if next != set { steps += 1 }
                set = next
            }
            #expect(steps < 120, "\(steps) steps from \(left)")
        }
    }

    // MARK: What they have to know

    private func result(
        _ operation: ArithmeticOperation, _ left: NumberSet, _ right: NumberSet, is32: Bool = false
    ) -> NumberSet {
        left.result(operation, right, is32: is32)
    }

    @Test("list few numbers exactly")
    func precise() throws {
        #expect(NumberSet(1).joined(NumberSet(2)).members == [1, 2])
        #expect(result(.and, .full, NumberSet(1)).members == [0, 1])
        #expect(result(.and, .full, NumberSet(6)).members == [0, 2, 4, 6])
        #expect(result(.modulo, .full, NumberSet(5)).members == [0, 1, 2, 3, 4])
        #expect(result(.shiftRight, NumberSet(bits: 8), NumberSet(6)).members == [0, 1, 2, 3])
        #expect(result(.add, result(.and, .full, NumberSet(1)), NumberSet(1)).members == [1, 2])
        #expect(result(.arithmeticShiftRight, .full, NumberSet(63)).members == [0, .max])
        #expect(result(.arithmeticShiftRight, .full, NumberSet(31), is32: true).members == [0, 0xffff_ffff])
        // A number below zero cut to 32 bits and back.
        let minus = NumberSet(from: -3, through: 1)
        #expect(minus.lowHalf.signExtended(from: 32).signedBounds == -3...1)
    }

    @Test("become few by comparisons")
    func narrowed() throws {
        let below = NumberSet.compare(.full, .less, NumberSet(4), is32: false, holds: true)
        #expect(below?.left.members == [0, 1, 2, 3])
        let low = NumberSet.compare(.full, .less, NumberSet(3), is32: true, holds: true)
        #expect(low?.left.members == nil)
        #expect(low?.left.lowMembers == [0, 1, 2])
        let signed = NumberSet.compare(.full, .signedGreater, NumberSet(.max), is32: false, holds: true)
        let both = NumberSet.compare(
            signed?.left ?? .full, .signedLess, NumberSet(2), is32: false, holds: true)
        #expect(both?.left.members == [0, 1])
        let even = NumberSet.compare(NumberSet(bits: 2), .anyBitSet, NumberSet(1), is32: false, holds: false)
        #expect(even?.left.members == [0, 2])
        #expect(NumberSet.compare(NumberSet(3), .equal, NumberSet(4), is32: false, holds: true) == nil)
        let register = NumberSet.compare(
            NumberSet(bits: 3), .greater, NumberSet(5), is32: false, holds: true)
        #expect(register?.left.members == [6, 7])
    }
}
