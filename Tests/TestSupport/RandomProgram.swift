// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Random XDP programs that the verifier takes: arithmetic on bytes of the packet and constants, branches, short
/// loops, stores and loads of a stack, and a subprogram that may be given an address in it.
///
/// Packets shorter than ``packetLength`` give verdict 0. Numbers tend to be small, and what is returned is cut to
/// few bits more often than not, so that a set of verdicts has something to say.
public struct RandomProgram {
    /// The bytes that are read.
    public static let packetLength = 64
    /// Registers that hold numbers; r9 counts loops.
    private static let numbers: [Register] = [.r0, .r2, .r3, .r4, .r5, .r6, .r7, .r8]
    private static let slots = 6

    /// Whether instructions of -mcpu=v4 are used (kernel 6.6).
    private let isModern: Bool
    private var random: SeededGenerator
    private var body: [Instruction] = []
    private var isLooping = false
    private var calls: [Int] = []

    /// The program with a number.
    public static func make(seed: UInt64, isModern: Bool) -> [Instruction] {
        var program = RandomProgram(isModern: isModern, random: SeededGenerator(seed: seed))
        return program.make()
    }

    private init(isModern: Bool, random: SeededGenerator) {
        self.isModern = isModern
        self.random = random
    }

    private mutating func make() -> [Instruction] {
        // r2: the packet, for the loads that follow.
        body = [
            .move(.r0, 0), .load(.word, .r2, from: .r1), .load(.word, .r3, from: .r1, offset: 4),
            .move(.r4, .r2),
            .add(.r4, Int32(Self.packetLength)), .jump(.greater, .r4, .r3, 0),
        ]
        let guardPlace = body.count - 1
        body.append(.move(.r1, .r2))
        for register in Self.numbers { start(register) }
        for slot in 1...Self.slots {
            body.append(.store(.doubleWord, register(), to: .r10, offset: Int16(-8 * slot)))
        }
        statements(depth: 3, count: 4...10)
        body.append(.move(.r0, register()))
        if chance(3, of: 4) { cut(.r0) }
        body[guardPlace].offset = Int16(body.count - guardPlace - 1)
        body.append(.exit)
        let function = body.count
        for call in calls { body[call].immediate = Int32(function - call - 1) }
        if !calls.isEmpty { subprogram() }
        return body
    }

    // MARK: Choosing

    private mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    private mutating func chance(_ part: Int, of whole: Int) -> Bool { pick(1...whole) <= part }

    private mutating func register() -> Register { Self.numbers[pick(0...Self.numbers.count - 1)] }

    private mutating func constant() -> Int32 {
        switch pick(0...5) {
        case 0: Int32.random(in: .min ... .max, using: &random)
        case 1: [Int32.min, .max, -1, 0x7fff, 0x8000, 0xffff, 255, 256].randomElement(using: &random) ?? 0
        case 2: -Int32(pick(0...8))
        default: Int32(pick(0...8))
        }
    }

    private mutating func size() -> MemorySize {
        MemorySize.allCases.randomElement(using: &random) ?? .byte
    }

    // MARK: Statements

    private mutating func start(_ register: Register) {
        if chance(1, of: 3) {
            body.append(.move(register, constant()))
        } else {
            let size = size()
            let place = pick(0...(Self.packetLength / size.bytes - 1)) * size.bytes
            body.append(.load(size, register, from: .r1, offset: Int16(place)))
            if chance(1, of: 2) { cut(register) }
        }
    }

    /// Leaves few numbers.
    private mutating func cut(_ register: Register) {
        switch pick(0...3) {
        case 0: body.append(.and(register, Int32(pick(0...15))))
        case 1: body.append(.modulo(register, Int32(pick(1...9))))
        case 2: body += [.and(register, 3), .add(register, Int32(pick(0...3)))]
        default: body.append(.shiftRight32(register, Int32(pick(28...31))))
        }
    }

    private mutating func statements(depth: Int, count: ClosedRange<Int>) {
        for _ in 0..<pick(count) { statement(depth: depth) }
    }

    private mutating func statement(depth: Int) {
        switch pick(0...11) {
        case 0...4: arithmetic()
        case 5: body.append(.move(register(), constant()))
        case 6: store()
        case 7: load()
        case 8 where depth > 0 && !isLooping: loop(depth: depth)
        case 9 where depth > 0 && !isLooping: call()
        case 10 where depth > 0 && !isLooping && chance(1, of: 3):
            body.append(jump(over: 2))
            body += [.move(.r0, Int32(pick(0...5))), .exit]
        default:
            if depth > 0 { branch(depth: depth) } else { arithmetic() }
        }
    }

    private mutating func arithmetic() {
        let operations = ArithmeticOperation.allCases.filter { $0 != .byteSwap && $0 != .negate }
        let operation = operations.randomElement(using: &random) ?? .add
        let width: InstructionClass = chance(1, of: 2) ? .alu64 : .alu32
        let destination = register()
        if chance(1, of: 12) {
            let bits: Int32 = [16, 32, 64].randomElement(using: &random) ?? 16
            let swaps: [Instruction] = [
                .toBigEndian(destination, bits: bits), .toLittleEndian(destination, bits: bits),
                .negate(destination),
                .negate32(destination),
            ]
            let modern = isModern ? [Instruction.byteSwap(destination, bits: bits)] : []
            body.append((swaps + modern).randomElement(using: &random) ?? .negate(destination))
            return
        }
        let isDivision = operation == .divide || operation == .modulo
        var offset: Int16 = 0
        if isModern, isDivision, chance(1, of: 2) { offset = 1 }
        if chance(1, of: 2) {
            if isModern, operation == .move, chance(1, of: 2) {
                offset = (width == .alu64 ? [8, 16, 32] : [8, 16]).randomElement(using: &random) ?? 8
            }
            body.append(
                Instruction(
                    Opcode(width, operation, .register), destination: destination, source: register(),
                    offset: offset))
            return
        }
        var immediate = constant()
        switch operation {
        case .divide, .modulo: if immediate == 0 { immediate = 3 }
        case .shiftLeft, .shiftRight, .arithmeticShiftRight: immediate &= width == .alu64 ? 63 : 31
        default: break
        }
        body.append(
            Instruction(
                Opcode(width, operation, .immediate), destination: destination, offset: offset,
                immediate: immediate))
    }

    /// An aligned place in a slot.
    private mutating func place(_ size: MemorySize) -> Int16 {
        Int16(-8 * pick(1...Self.slots) + pick(0...(8 / size.bytes - 1)) * size.bytes)
    }

    private mutating func store() {
        let size = size()
        let place = place(size)
        switch pick(0...4) {
        case 0: body.append(.storeImmediate(size, constant(), to: .r10, offset: place))
        case 1 where size.bytes >= 4: body.append(.atomicAdd(size, register(), to: .r10, offset: place))
        default: body.append(.store(size, register(), to: .r10, offset: place))
        }
    }

    private mutating func load() {
        let size = size()
        let place = place(size)
        if isModern, size != .doubleWord, chance(1, of: 3) {
            body.append(.loadSigned(size, register(), from: .r10, offset: place))
        } else {
            body.append(.load(size, register(), from: .r10, offset: place))
        }
    }

    private mutating func jump(over distance: Int16) -> Instruction {
        let condition = Condition.allCases.randomElement(using: &random) ?? .equal
        let isHalf = chance(1, of: 2)
        let left = register()
        if chance(1, of: 2) {
            let right = register()
            return isHalf
                ? .jump32(condition, left, right, distance) : .jump(condition, left, right, distance)
        }
        let right = constant()
        return isHalf ? .jump32(condition, left, right, distance) : .jump(condition, left, right, distance)
    }

    private mutating func branch(depth: Int) {
        // Now and then by half of a number, as compilers for older machines write it.
        if chance(1, of: 4) {
            let (copy, number) = (register(), register())
            body += [.move(copy, number), .shiftLeft(copy, 32)]
            body.append(chance(1, of: 2) ? .shiftRight(copy, 32) : .arithmeticShiftRight(copy, 32))
        } else if chance(1, of: 4) {
            body.append(.move(register(), register()))
        }
        let place = body.count
        body.append(jump(over: 0))
        statements(depth: depth - 1, count: 1...4)
        let end = body.count
        body.append(.jump(0))
        body[place].offset = Int16(body.count - place - 1)
        if chance(1, of: 2) { statements(depth: depth - 1, count: 1...4) }
        body[end].offset = Int16(body.count - end - 1)
    }

    private mutating func loop(depth: Int) {
        isLooping = true
        body.append(.move(.r9, 0))
        let start = body.count
        statements(depth: min(depth - 1, 1), count: 1...4)
        body.append(.add(.r9, 1))
        body.append(.jump(.less, .r9, Int32(pick(1...4)), Int16(start - body.count - 1)))
        isLooping = false
    }

    private mutating func call() {
        let size = size()
        // What is behind the address that the function is given, or nothing.
        body += [.move(.r1, .r10), .add(.r1, Int32(-8 * pick(1...Self.slots)))]
        body += [.move(.r2, register()), .move(.r3, register())]
        calls.append(body.count)
        body.append(.call(relative: 0))
        for register in [Register.r2, .r3, .r4, .r5] {
            let source = [Register.r0, .r6, .r7, .r8].randomElement(using: &random) ?? .r0
            body.append(chance(1, of: 2) ? .move(register, source) : .move(register, constant()))
        }
        _ = size
    }

    /// r1 is the address of a slot, r2 and r3 are numbers.
    private mutating func subprogram() {
        body.append(.load(.doubleWord, .r0, from: .r1))
        for _ in 0..<pick(1...4) {
            let operation: ArithmeticOperation =
                [.add, .and, .or, .xor, .subtract].randomElement(using: &random) ?? .add
            body.append(.alu64(operation, .r0, chance(1, of: 2) ? .r2 : .r3))
        }
        body.append(.jump(.greater, .r2, constant(), 2))
        body.append(
            chance(1, of: 2) ? .store(.doubleWord, .r3, to: .r1) : .storeImmediate(.word, constant(), to: .r1)
        )
        body.append(.move(.r0, Int32(pick(0...4))))
        body.append(.exit)
    }
}
