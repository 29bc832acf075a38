// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Runs BPF programs as a little-endian machine, for tests of what a program does.
///
/// Whatever a program does wrong is a thrown ``Failure``. After a call r1 to r5 hold ``poison``, and a new
/// frame is full of it, so that code that relies on what is undefined shows. Tail calls go where ``tailCall``
/// says, at most 33 in a run; without it helper 12 is a helper like the others. Not there: kernel functions,
/// compare-exchange and ordered atomics, and callbacks.
public struct Interpreter {
    /// Why a program could not go on.
    public enum Failure: Error, Hashable, Sendable {
        /// The next instruction is outside of the program.
        case outsideProgram(index: Int)
        /// The instruction is not known, or not supported here.
        case unsupported(index: Int, Instruction)
        /// The memory access is outside of every region.
        case badAccess(index: Int, address: UInt64)
        /// More than 8 frames.
        case tooManyFrames(index: Int)
        /// The program ran for longer than ``instructionLimit``.
        case endless
    }

    /// What the helper with a number returns, given r0 to r10.
    public typealias Helper = (_ id: Int32, _ registers: [UInt64]) throws -> UInt64

    /// A program that tail calls lead to.
    public struct Callee {
        public let instructions: [Instruction]
        /// As ``Interpreter/address``.
        public let address: (_ kind: WideKind, _ first: Int32, _ second: Int32) -> UInt64

        public init(
            _ instructions: [Instruction],
            address: @escaping (_ kind: WideKind, _ first: Int32, _ second: Int32) -> UInt64
        ) {
            self.instructions = instructions
            self.address = address
        }
    }

    /// How many tail calls the kernel allows a packet (MAX_TAIL_CALL_CNT).
    public static let tailCallLimit = 33

    /// What undefined registers and stack bytes hold.
    public static let poison: UInt64 = 0xa5a5_a5a5_a5a5_a5a5
    /// The address of the first frame's end, which is r10 of the main function.
    public static let stackTop: UInt64 = 0x7000_0000_0000
    /// The distance between two frames' ends.
    private static let frameStride: UInt64 = 0x1_0000

    /// The program.
    public let instructions: [Instruction]
    /// The memory besides the stack, such as the context and the packet.
    public var memory: InterpreterMemory
    /// What a helper call does.
    public var helper: Helper
    /// What a helper call does that writes where a pointer leads; it goes before ``helper``.
    public var helperMemory:
        ((_ id: Int32, _ registers: [UInt64], _ write: (UInt64, [UInt8]) -> Bool) throws -> UInt64)?
    /// What a 64-bit load of a map or function gives, from its two halves.
    public var address: (_ kind: WideKind, _ first: Int32, _ second: Int32) -> UInt64
    /// The program in a place of a program array; nil where there is none.
    public var tailCall: ((_ array: UInt64, _ place: UInt64) -> Callee?)?
    /// The instructions after which a program counts as endless.
    public var instructionLimit = 1_000_000

    /// The instructions executed in the last run; a 64-bit immediate load counts as one.
    public private(set) var executed = 0
    /// The tail calls of the last run that led somewhere.
    public private(set) var tailCalls = 0
    /// How often each instruction was executed in the last run; those of tail callees are not counted.
    public private(set) var executions: [Int] = []

    private var registers: [UInt64] = []
    private var frames: [Frame] = []
    private var stack = InterpreterMemory()
    /// The tail callee that is running; nil for the program itself.
    private var callee: Callee?

    /// What a return restores.
    private struct Frame {
        let returnIndex: Int
        let preserved: [UInt64]
        let callee: Callee?
    }

    /// An interpreter for a program.
    ///
    /// Helpers give 0, and maps and functions a number made of their immediates, unless told otherwise.
    public init(
        _ instructions: [Instruction], memory: InterpreterMemory = InterpreterMemory(),
        helper: @escaping Helper = { _, _ in 0 }
    ) {
        self.instructions = instructions
        self.memory = memory
        self.helper = helper
        address = { kind, first, second in
            UInt64(kind.marker) << 56 | UInt64(UInt32(bitPattern: first)) << 24
                &+ UInt64(UInt32(bitPattern: second))
        }
    }

    /// Runs the program from its first instruction with r1 set, and gives r0 of the main function's exit.
    public mutating func run(r1: UInt64 = 0) throws -> UInt64 {
        executed = 0
        tailCalls = 0
        callee = nil
        executions = [Int](repeating: 0, count: instructions.count)
        registers = [UInt64](repeating: Self.poison, count: 16)
        registers[1] = r1
        frames = []
        stack.regions = []
        pushStack()
        var index = 0
        while let next = try step(index) { index = next }
        return registers[0]
    }

    /// Executes an instruction and gives the index of the next; nil at the end.
    private mutating func step(_ index: Int) throws -> Int? {
        let instructions = callee?.instructions ?? self.instructions
        guard instructions.indices.contains(index) else { throw Failure.outsideProgram(index: index) }
        guard executed < instructionLimit else { throw Failure.endless }
        executed += 1
        if callee == nil { executions[index] += 1 }
        let instruction = instructions[index]
        switch instruction.opcode.instructionClass {
        case .alu32, .alu64: try arithmetic(instruction, index)
        case .ldx: try load(instruction, index)
        case .st, .stx: try store(instruction, index)
        case .ld: try loadWide(instruction, index)
        case .jump, .jump32: return try jump(instruction, index)
        }
        return index + instruction.slots
    }

    private mutating func pushStack() {
        let top = Self.stackTop + UInt64(stack.regions.count) * Self.frameStride
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: Self.poison), count: StackUse.limit)
        stack.regions.append(InterpreterMemory.Region(address: top - UInt64(bytes.count), bytes: bytes))
        registers[10] = top
    }

    // MARK: Jumps and calls

    private mutating func jump(_ instruction: Instruction, _ index: Int) throws -> Int? {
        if instruction.isExit { return leave() }
        if instruction.isCall { return try call(instruction, index) }
        guard let distance = instruction.jumpDistance else {
            throw Failure.unsupported(index: index, instruction)
        }
        let isTaken = instruction.condition.map { holds($0, instruction) } ?? (instruction.opcode != .mayGoto)
        return index + 1 + (isTaken ? distance : 0)
    }

    private func holds(_ condition: Condition, _ instruction: Instruction) -> Bool {
        let is32 = instruction.opcode.instructionClass == .jump32
        let left = narrowed(registers[Int(instruction.destination.rawValue)], is32)
        let right = narrowed(operand(instruction), is32)
        let (signedLeft, signedRight) = (signed(left, is32), signed(right, is32))
        return switch condition {
        case .equal: left == right
        case .notEqual: left != right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .anyBitSet: left & right != 0
        case .signedGreater: signedLeft > signedRight
        case .signedGreaterOrEqual: signedLeft >= signedRight
        case .signedLess: signedLeft < signedRight
        case .signedLessOrEqual: signedLeft <= signedRight
        }
    }

    private mutating func call(_ instruction: Instruction, _ index: Int) throws -> Int {
        if instruction.isTailCall, let tailCall {
            let found = tailCalls < Self.tailCallLimit ? tailCall(registers[2], registers[3]) : nil
            guard let found else {
                registers[0] = Self.poison
                poisonArguments()
                return index + 1
            }
            tailCalls += 1
            return enter(found)
        }
        if let id = instruction.helperCall, let helperMemory {
            var written = stack
            registers[0] = try helperMemory(id, Array(registers[0...10])) { address, bytes in
                bytes.enumerated().allSatisfy { written.store(UInt64($1), address + UInt64($0), bytes: 1) }
            }
            stack = written
            poisonArguments()
            return index + 1
        }
        if let id = instruction.helperCall {
            registers[0] = try helper(id, Array(registers[0...10]))
            poisonArguments()
            return index + 1
        }
        guard instruction.isSubprogramCall, let distance = instruction.functionDistance else {
            throw Failure.unsupported(index: index, instruction)
        }
        guard frames.count < 7 else { throw Failure.tooManyFrames(index: index) }
        frames.append(
            Frame(returnIndex: index + 1, preserved: Array(registers[6...10]), callee: callee))
        pushStack()
        return index + 1 + distance
    }

    /// Goes on in another program, which takes the place of the function that did the tail call: it has its
    /// frame, and returns where it would have.
    private mutating func enter(_ program: Callee) -> Int {
        let context = registers[1]
        callee = program
        stack.regions.removeLast()
        registers = [UInt64](repeating: Self.poison, count: 16)
        registers[1] = context
        pushStack()
        return 0
    }

    private mutating func leave() -> Int? {
        guard let frame = frames.popLast() else { return nil }
        stack.regions.removeLast()
        registers.replaceSubrange(6...10, with: frame.preserved)
        callee = frame.callee
        poisonArguments()
        return frame.returnIndex
    }

    private mutating func poisonArguments() {
        for number in 1...5 { registers[number] = Self.poison }
    }

    // MARK: Memory

    private func read(_ base: Register, _ instruction: Instruction, _ index: Int) throws -> UInt64 {
        let address = registers[Int(base.rawValue)] &+ UInt64(bitPattern: Int64(instruction.offset))
        let bytes = instruction.opcode.size?.bytes ?? 0
        guard let value = stack.load(address, bytes: bytes) ?? memory.load(address, bytes: bytes) else {
            throw Failure.badAccess(index: index, address: address)
        }
        return value
    }

    private mutating func write(_ value: UInt64, _ instruction: Instruction, _ index: Int) throws {
        let base = registers[Int(instruction.destination.rawValue)]
        let address = base &+ UInt64(bitPattern: Int64(instruction.offset))
        let bytes = instruction.opcode.size?.bytes ?? 0
        guard stack.store(value, address, bytes: bytes) || memory.store(value, address, bytes: bytes) else {
            throw Failure.badAccess(index: index, address: address)
        }
    }

    private mutating func load(_ instruction: Instruction, _ index: Int) throws {
        let value = try read(instruction.source, instruction, index)
        switch (instruction.opcode.mode, instruction.opcode.size) {
        case (.memory, _):
            try set(instruction, value, index)
        case (.signedMemory, let size?):
            try set(instruction, signExtended(value, bits: size.bits), index)
        default:
            throw Failure.unsupported(index: index, instruction)
        }
    }

    private mutating func store(_ instruction: Instruction, _ index: Int) throws {
        let source = registers[Int(instruction.source.rawValue)]
        switch (instruction.opcode.instructionClass, instruction.opcode.mode) {
        case (.st, .memory):
            try write(UInt64(bitPattern: Int64(instruction.immediate)), instruction, index)
        case (.stx, .memory):
            try write(source, instruction, index)
        case (.stx, .atomic):
            guard let operation = instruction.atomicOperation, (instruction.opcode.size?.bytes ?? 0) >= 4
            else { throw Failure.unsupported(index: index, instruction) }
            let old = try read(instruction.destination, instruction, index)
            switch operation {
            case .add, .fetchAdd: try write(old &+ source, instruction, index)
            case .or, .fetchOr: try write(old | source, instruction, index)
            case .and, .fetchAnd: try write(old & source, instruction, index)
            case .xor, .fetchXor: try write(old ^ source, instruction, index)
            case .exchange: try write(source, instruction, index)
            default: throw Failure.unsupported(index: index, instruction)
            }
            if operation.fetches { registers[Int(instruction.source.rawValue)] = old }
        default:
            throw Failure.unsupported(index: index, instruction)
        }
    }

    private mutating func loadWide(_ instruction: Instruction, _ index: Int) throws {
        let instructions = callee?.instructions ?? self.instructions
        let address = callee?.address ?? self.address
        guard let kind = instruction.wideKind, instructions.indices.contains(index + 1) else {
            throw Failure.unsupported(index: index, instruction)
        }
        let (first, second) = (instruction.immediate, instructions[index + 1].immediate)
        let plain = UInt64(UInt32(bitPattern: second)) << 32 | UInt64(UInt32(bitPattern: first))
        try set(instruction, kind == .plain ? plain : address(kind, first, second), index)
    }

    // MARK: Arithmetic

    private mutating func set(_ instruction: Instruction, _ value: UInt64, _ index: Int) throws {
        guard instruction.destination.rawValue < 10 else {
            throw Failure.unsupported(index: index, instruction)
        }
        registers[Int(instruction.destination.rawValue)] = value
    }

    private mutating func arithmetic(_ instruction: Instruction, _ index: Int) throws {
        let is32 = instruction.opcode.instructionClass == .alu32
        let left = narrowed(registers[Int(instruction.destination.rawValue)], is32)
        let right = narrowed(operand(instruction), is32)
        let shift = right & (is32 ? 31 : 63)
        let isSigned = instruction.offset == 1
        let value: UInt64? =
            switch instruction.opcode.arithmeticOperation {
            case .add: left &+ right
            case .subtract: left &- right
            case .multiply: left &* right
            case .divide where isSigned: right == 0 ? 0 : divided(left, right, is32).quotient
            case .divide: right == 0 ? 0 : left / right
            case .modulo where isSigned: right == 0 ? left : divided(left, right, is32).remainder
            case .modulo: right == 0 ? left : left % right
            case .or: left | right
            case .and: left & right
            case .xor: left ^ right
            case .shiftLeft: left << shift
            case .shiftRight: left >> shift
            case .arithmeticShiftRight: UInt64(bitPattern: signed(left, is32) >> Int64(shift))
            case .negate: 0 &- left
            case .move: instruction.offset == 0 ? right : signExtended(right, bits: Int(instruction.offset))
            case .byteSwap: swapped(instruction)
            case nil: nil
            }
        guard let value else { throw Failure.unsupported(index: index, instruction) }
        try set(
            instruction, narrowed(value, is32 && instruction.opcode.arithmeticOperation != .byteSwap), index)
    }

    private func divided(_ left: UInt64, _ right: UInt64, _ is32: Bool) -> (
        quotient: UInt64, remainder: UInt64
    ) {
        let (dividend, divisor) = (signed(left, is32), signed(right, is32))
        let quotient = dividend.dividedReportingOverflow(by: divisor).partialValue
        let remainder = dividend.remainderReportingOverflow(dividingBy: divisor).partialValue
        return (UInt64(bitPattern: quotient), UInt64(bitPattern: remainder))
    }

    private func swapped(_ instruction: Instruction) -> UInt64? {
        let value = registers[Int(instruction.destination.rawValue)]
        let isLittle = instruction.opcode == Opcode(.alu32, .byteSwap, .immediate)
        switch instruction.immediate {
        case 16:
            return UInt64(
                isLittle ? UInt16(truncatingIfNeeded: value) : UInt16(truncatingIfNeeded: value).byteSwapped)
        case 32:
            return UInt64(
                isLittle ? UInt32(truncatingIfNeeded: value) : UInt32(truncatingIfNeeded: value).byteSwapped)
        case 64: return isLittle ? value : value.byteSwapped
        default: return nil
        }
    }

    private func operand(_ instruction: Instruction) -> UInt64 {
        instruction.opcode.operandKind == .register
            ? registers[Int(instruction.source.rawValue)]
            : UInt64(bitPattern: Int64(instruction.immediate))
    }

    private func narrowed(_ value: UInt64, _ is32: Bool) -> UInt64 {
        is32 ? value & 0xffff_ffff : value
    }

    private func signed(_ value: UInt64, _ is32: Bool) -> Int64 {
        is32 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    private func signExtended(_ value: UInt64, bits: Int) -> UInt64 {
        guard (1...63).contains(bits) else { return value }
        let unused = UInt64(64 - bits)
        return UInt64(bitPattern: Int64(bitPattern: value << unused) >> Int64(unused))
    }
}
