// SPDX-License-Identifier: Apache-2.0

// An abstract interpretation over the control-flow graph. The state before each block is the join of the
// states behind its predecessors, recomputed until nothing changes. Spilled frame addresses are kept for the
// whole function, not per place: they are rare, and their lowest is what matters.
//
// Why termination is certain: an address that falls below the frame ends the analysis with the whole frame,
// and a block that is entered too often has its numbers widened and its falling addresses given up.

/// The lowest byte of its frame that a function can touch or take the address of.
struct FrameAnalysis {
    /// Visits of a block after which a value that still changes is given up.
    private static let patience = 32
    /// Passes over the function after which still changing spills are given up.
    private static let spillPasses = 8

    private let graph: ControlFlowGraph
    /// The lowest frame address that is spilled to each slot, in bytes from the frame pointer.
    private var spills: [Int: Int] = [:]
    /// The lowest frame address in `spills`.
    private var lowestSpill: Int?
    /// The lowest frame address that is spilled through a copy of the frame pointer.
    private var spillElsewhere: Int?
    /// The lowest byte so far, in bytes from the frame pointer.
    private var lowest = 0
    /// Whether a frame address got lost.
    private var isLost = false

    init(_ graph: ControlFlowGraph) {
        self.graph = graph
    }

    /// The depth of the frame in bytes, not rounded.
    mutating func depth() -> Int {
        for _ in 0..<Self.spillPasses {
            let before = (spills, spillElsewhere)
            flow()
            if isLost { return StackUse.limit }
            if (spills, spillElsewhere) == before { return min(-lowest, StackUse.limit) }
        }
        return StackUse.limit
    }

    private mutating func flow() {
        var states = [[FrameValue]?](repeating: nil, count: graph.blocks.count)
        var visits = [Int](repeating: 0, count: graph.blocks.count)
        var isOpen = [Bool](repeating: false, count: graph.blocks.count)
        guard !graph.blocks.isEmpty else { return }
        var entry = [FrameValue](repeating: .unknown, count: 16)
        entry[Int(Register.framePointer.rawValue)] = .address(0)
        states[0] = entry
        isOpen[0] = true
        var changed = true
        while changed, !isLost {
            changed = false
            for block in graph.reversePostorder where isOpen[block] {
                isOpen[block] = false
                guard var state = states[block] else { continue }
                for index in graph.indices(of: block) { step(index, &state) }
                for successor in graph.blocks[block].successors {
                    let next = join(states[successor], state, patient: visits[successor] < Self.patience)
                    guard next != states[successor] else { continue }
                    states[successor] = next
                    visits[successor] += 1
                    isOpen[successor] = true
                    changed = true
                }
            }
        }
    }

    private mutating func join(
        _ old: [FrameValue]?, _ new: [FrameValue], patient: Bool
    ) -> [FrameValue] {
        guard let old else { return new }
        return zip(old, new).map { old, new in
            var joined = old.joined(new)
            guard !patient, joined != old else { return joined }
            joined.bits = 64
            if old.frame != nil, joined.frame != old.frame { isLost = true }
            return joined
        }
    }

    /// Executes one instruction on a state.
    private mutating func step(_ index: Int, _ state: inout [FrameValue]) {
        let instruction = graph.instructions[index]
        if instruction.registersWritten.contains(.framePointer) { isLost = true }
        let destination = Int(instruction.destination.rawValue)
        let source = Int(instruction.source.rawValue)
        switch instruction.opcode.instructionClass {
        case .alu64:
            state[destination] = result64(instruction, state[destination], state[source])
        case .alu32:
            state[destination] = result32(instruction, state[destination], state[source])
        case .ldx:
            access(state[source], instruction.offset)
            state[destination] = loaded(instruction)
        case .st:
            access(state[destination], instruction.offset)
        case .stx:
            store(instruction, &state)
        case .jump, .jump32:
            if instruction.isCall { forget(.callerSaved, &state) }
        case .ld:
            forget(instruction.registersWritten, &state)
        }
    }

    private func forget(_ registers: RegisterSet, _ state: inout [FrameValue]) {
        for register in registers.registers { state[Int(register.rawValue)] = .unknown }
    }

    // MARK: Memory

    private mutating func touch(_ offset: Int) {
        lowest = min(lowest, offset)
        if offset < -StackUse.limit { isLost = true }
    }

    private mutating func access(_ address: FrameValue, _ offset: Int16) {
        if let frame = address.frame { touch(frame + Int(offset)) }
    }

    /// What a load gives: a frame address only if one was spilled there, and over eight bytes.
    private func loaded(_ instruction: Instruction) -> FrameValue {
        guard let size = instruction.opcode.size, instruction.opcode.mode == .memory || instruction.isAcquire
        else { return .unknown }
        guard size == .doubleWord else { return .number(bits: size.bits) }
        var spilled = spillElsewhere
        if instruction.source == .framePointer {
            if let slot = spills[Int(instruction.offset)] { spilled = min(slot, spilled ?? slot) }
        } else if let any = lowestSpill {
            spilled = min(any, spilled ?? any)
        }
        return FrameValue(frame: spilled, bits: 64)
    }

    private mutating func store(_ instruction: Instruction, _ state: inout [FrameValue]) {
        if instruction.isAcquire {
            access(state[Int(instruction.source.rawValue)], instruction.offset)
            state[Int(instruction.destination.rawValue)] = loaded(instruction)
            return
        }
        access(state[Int(instruction.destination.rawValue)], instruction.offset)
        if let frame = state[Int(instruction.source.rawValue)].frame {
            let slot = Int(instruction.offset)
            if instruction.destination == .framePointer {
                spills[slot] = min(frame, spills[slot] ?? frame)
                lowestSpill = min(frame, lowestSpill ?? frame)
            } else {
                spillElsewhere = min(frame, spillElsewhere ?? frame)
            }
        }
        forget(instruction.registersWritten, &state)
    }

    // MARK: Arithmetic

    private mutating func result64(
        _ instruction: Instruction, _ left: FrameValue, _ register: FrameValue
    ) -> FrameValue {
        let fromRegister = instruction.opcode.operandKind == .register
        let immediate = Int64(instruction.immediate)
        let right = fromRegister ? register : .constant(immediate)
        if fromRegister, instruction.registersRead.isEmpty { return .number(bits: 0) }
        switch instruction.opcode.arithmeticOperation {
        case .move:
            return instruction.offset == 0 ? right : .unknown
        case .add where fromRegister:
            return sum(left, right)
        case .add:
            return left.frame == nil ? sum(left, right) : moved(left, by: Int(immediate))
        case .subtract where !fromRegister && left.frame != nil:
            return moved(left, by: -Int(immediate))
        case .subtract:
            // Of two addresses the verifier makes a number.
            if left.isAddress, !right.isAddress { isLost = true }
            return FrameValue(frame: right.isAddress ? nil : left.frame, bits: 64)
        default:
            // The verifier refuses every other arithmetic on an address: what may be one is a number here.
            if left.isAddress || right.isAddress { isLost = true }
            return .number(
                bits: instruction.resultBits(left.bits, right.bits, constant: fromRegister ? nil : immediate))
        }
    }

    private mutating func moved(_ value: FrameValue, by distance: Int) -> FrameValue {
        let frame = value.frame.map { $0 + distance }
        if let frame { touch(frame) }
        let bits = value.bits == 0 ? 0 : 64
        return FrameValue(frame: frame, bits: bits)
    }

    private mutating func sum(_ left: FrameValue, _ right: FrameValue) -> FrameValue {
        // An address stays where it is, or above, if what is added is no negative number.
        if left.frame != nil, !right.isNotNegative { isLost = true }
        if right.frame != nil, !left.isNotNegative { isLost = true }
        let lowest = left.joined(right).frame
        if left.isAddress || right.isAddress { return FrameValue(frame: lowest, bits: 0) }
        return FrameValue(frame: lowest, bits: min(max(left.bits, right.bits) + 1, 64))
    }

    private func result32(
        _ instruction: Instruction, _ left: FrameValue, _ register: FrameValue
    ) -> FrameValue {
        let fromRegister = instruction.opcode.operandKind == .register
        // A cut address is a number that the verifier knows nothing about.
        let leftBits = left.frame == nil ? min(left.bits, 32) : 32
        let registerBits = register.frame == nil ? min(register.bits, 32) : 32
        let immediate = Int64(UInt32(bitPattern: instruction.immediate))
        let rightBits = fromRegister ? registerBits : 64 - immediate.leadingZeroBitCount
        if instruction.opcode.arithmeticOperation == .move {
            return .number(bits: instruction.offset == 0 ? rightBits : 32)
        }
        let bits = instruction.resultBits(leftBits, rightBits, constant: fromRegister ? nil : immediate)
        return .number(bits: min(bits, 32))
    }
}

extension Instruction {
    fileprivate var isAcquire: Bool { atomicOperation == .loadAcquire }

    /// The width of an arithmetic result from those of its operands; 64 if it can be negative.
    fileprivate func resultBits(_ left: Int, _ right: Int, constant: Int64?) -> Int {
        // Shifts use the low five or six bits of their operand; a shift by a register can be any.
        let is32 = opcode.instructionClass == .alu32
        let shift = constant.map { Int($0 & (is32 ? 31 : 63)) }
        switch opcode.arithmeticOperation {
        case .add: return max(left, right) + 1
        case .and: return min(left, right)
        case .or, .xor: return max(left, right)
        case .multiply: return left + right
        case .divide, .modulo: return offset == 0 ? left : 64
        case .shiftLeft: return shift.map { left + $0 } ?? 64
        case .shiftRight: return left - (shift ?? 0)
        case .arithmeticShiftRight: return left < (is32 ? 32 : 64) ? left - (shift ?? 0) : 64
        case .byteSwap: return immediate == 16 || immediate == 32 ? Int(immediate) : 64
        case .subtract, .negate, .move, nil: return 64
        }
    }
}
