// SPDX-License-Identifier: Apache-2.0
import Bytecode

extension ProgramWalk {
    /// Executes an instruction that is neither a jump nor a call.
    mutating func step(_ instruction: Instruction, at index: Int, _ state: inout AnalysisState) {
        switch instruction.opcode.instructionClass {
        case .alu32, .alu64: arithmetic(instruction, at: index, &state)
        case .ldx: load(instruction, at: index, &state)
        case .st, .stx: store(instruction, at: index, &state)
        case .ld: loadWide(instruction, at: index, &state)
        case .jump, .jump32: break
        }
    }

    // MARK: Arithmetic

    private func arithmetic(_ instruction: Instruction, at index: Int, _ state: inout AnalysisState) {
        let is32 = instruction.opcode.instructionClass == .alu32
        let fromRegister = instruction.opcode.operandKind == .register
        let left = state[instruction.destination]
        if instruction.opcode.arithmeticOperation == .move, fromRegister, instruction.offset == 0 {
            move(instruction, at: index, is32: is32, &state)
            return
        }
        let right: AnalysisValue =
            fromRegister && instruction.opcode.arithmeticOperation != .byteSwap
            ? state[instruction.source].value
            : .number(NumberSet(UInt64(bitPattern: Int64(instruction.immediate))))
        let value = result(instruction, left.value, right, is32: is32)
        state[instruction.destination] = TrackedValue(value, at: index)
        state[instruction.destination].link = link(of: left, after: instruction)
        if case .number(let number) = value, state[instruction.destination].link != nil, !number.isFull {
            // Half of a number is made where the number was.
            state[instruction.destination].origins = left.origins
            state[instruction.destination].hasMoreOrigins = left.hasMoreOrigins
        }
    }

    private func move(
        _ instruction: Instruction, at index: Int, is32: Bool, _ state: inout AnalysisState
    ) {
        let source = state.linked(state[instruction.source], at: index)
        state[instruction.source] = source
        guard is32 else {
            state[instruction.destination] = source
            return
        }
        guard let number = source.value.number else {
            state[instruction.destination] = TrackedValue(.number(NumberSet(bits: 32)), at: index)
            return
        }
        var copy = source
        copy.value = .number(number.lowHalf)
        copy.link?.form = .low
        if source.link?.form == .shifted { copy.link = nil }
        state[instruction.destination] = copy
    }

    /// The way in which programs for older machines cut a number in half.
    private func link(of left: TrackedValue, after instruction: Instruction) -> TrackedValue.Link? {
        guard var link = left.link, instruction.opcode.instructionClass == .alu64,
            instruction.opcode.operandKind == .immediate, instruction.immediate == 32
        else { return nil }
        switch (instruction.opcode.arithmeticOperation, link.form) {
        case (.shiftLeft, .same), (.shiftLeft, .low), (.shiftLeft, .signedLow): link.form = .shifted
        case (.shiftRight, .shifted): link.form = .low
        case (.arithmeticShiftRight, .shifted): link.form = .signedLow
        default: return nil
        }
        return link
    }

    private func result(
        _ instruction: Instruction, _ left: AnalysisValue, _ right: AnalysisValue, is32: Bool
    ) -> AnalysisValue {
        let operation = instruction.opcode.arithmeticOperation
        if let other = right.number, let own = left.number ?? (operation == .move ? .full : nil) {
            return .number(NumberSet.result(of: instruction, own, other))
        }
        if is32, operation != .byteSwap { return .number(NumberSet(bits: 32)) }
        switch operation {
        case .add: return left.moved(by: right, .add) ?? right.moved(by: left, .add) ?? mixed(left, right)
        case .subtract:
            // The difference of two pointers is a number.
            if left.isPointer, right.isPointer { return .unknown }
            return left.moved(by: right, .subtract) ?? mixed(left, right)
        case .move: return mixed(right, .unknown)
        // The verifier lets nothing else be done with pointers, but with what may be one or a number.
        default: return mixed(left, right)
        }
    }

    private func mixed(_ left: AnalysisValue, _ right: AnalysisValue) -> AnalysisValue {
        let mixture = left.mixture.union(right.mixture)
        return mixture.isEmpty ? .unknown : .mixed(mixture)
    }

    // MARK: Memory

    private mutating func load(_ instruction: Instruction, at index: Int, _ state: inout AnalysisState) {
        guard let size = instruction.opcode.size else { return }
        let isSigned = instruction.opcode.mode == .signedMemory
        guard instruction.opcode.mode == .memory || isSigned else {
            state[instruction.destination] = TrackedValue(.unknown, at: index)
            return
        }
        var loaded = load(from: instruction.source, instruction, at: index, size, &state)
        if isSigned {
            let number = loaded.value.number ?? .full
            loaded = TrackedValue(.number(number.signExtended(from: size.bits)), at: index)
        }
        state[instruction.destination] = loaded
    }

    private mutating func load(
        from register: Register, _ instruction: Instruction, at index: Int, _ size: MemorySize,
        _ state: inout AnalysisState
    ) -> TrackedValue {
        let distance = AnalysisValue.number(NumberSet(UInt64(bitPattern: Int64(instruction.offset))))
        let address = state[register].value
        let unknown = TrackedValue(.number(NumberSet(bits: size.bits)), at: index)
        switch address.moved(by: distance, .add) ?? address {
        case .context(let offsets):
            useContext(offsets)
            // What looks like a word is a pointer of 64 bits, except in what a kernel translated: data, data_end and
            // data_meta come first.
            let isWord = code.isTranslated || offsets.members?.allSatisfy { (12..<24).contains($0) } ?? false
            return isWord ? unknown : TrackedValue(.unknown, at: index)
        case .frame(let depth, let offsets) where state.frames.indices.contains(depth):
            guard let offset = offsets.constant.map({ Int(Int64(bitPattern: $0)) }),
                (-StackUse.limit..<0).contains(offset)
            else { return unknown }
            return spilled(depth, offset, size, at: index, &state)
        case .mapValue(let map, let offsets):
            guard let number = constants(in: map, at: offsets, size) else { return unknown }
            return TrackedValue(.number(number), at: index)
        case .mixed(let mixture):
            if mixture.contains(.context) {
                record.contextFields.formUnion(ProgramAnalysis.ContextField.allCases)
            }
            guard mixture.contains(.frame), size == .doubleWord else { return unknown }
            return TrackedValue(.anything, at: index)
        default:
            return unknown
        }
    }

    /// A load of what was stored in a frame, which makes a copy of it.
    private func spilled(
        _ depth: Int, _ offset: Int, _ size: MemorySize, at index: Int, _ state: inout AnalysisState
    ) -> TrackedValue {
        var value = state.frames[depth].load(offset, size: size.bytes)
        if size == .doubleWord, depth == state.frames.count - 1,
            let cell = state.frames[depth].cells.firstIndex(where: { $0.offset == offset && $0.size == 8 })
        {
            value = state.linked(value, at: index)
            state.frames[depth].cells[cell].value = value
            return value
        }
        if value.origins.isEmpty { value = TrackedValue(value.value, at: index) }
        if size != .doubleWord {
            // Half of a spilled pointer is a number.
            let number = value.value.number ?? .full
            value.value = .number(number.zeroExtended(from: size.bits))
            value.link = nil
        }
        return value
    }

    private mutating func useContext(_ offsets: NumberSet) {
        let fields = ProgramAnalysis.ContextField.allCases
        guard let members = offsets.members else {
            record.contextFields.formUnion(fields)
            return
        }
        // struct xdp_md: words in this order.
        for offset in members where offset / 4 < UInt64(fields.count) {
            record.contextFields.insert(fields[Int(offset / 4)])
        }
    }

    /// What a read-only map has at any of some places.
    private func constants(in map: Int, at offsets: NumberSet, _ size: MemorySize) -> NumberSet? {
        guard let bytes = code.constants[map] else { return nil }
        let bounds = offsets.unsignedBounds
        guard bounds.upperBound < UInt64(bytes.count), bounds.upperBound - bounds.lowerBound < 4096 else {
            return nil
        }
        var numbers: Set<UInt64> = []
        for offset in bounds where offsets.contains(offset) {
            let start = Int(offset)
            guard start + size.bytes <= bytes.count else { continue }
            numbers.insert(Self.number(bytes[start..<start + size.bytes]))
        }
        return NumberSet(numbers)
    }

    /// The number that bytes are on this machine.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        #if _endian(little)
            bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        #else
            bytes.reduce(0) { $0 << 8 | UInt64($1) }
        #endif
    }

    private mutating func store(_ instruction: Instruction, at index: Int, _ state: inout AnalysisState) {
        guard let size = instruction.opcode.size else { return }
        if let operation = instruction.atomicOperation {
            atomic(operation, size, instruction, at: index, &state)
            return
        }
        let isImmediate = instruction.opcode.instructionClass == .st
        var value =
            isImmediate
            ? TrackedValue(.number(NumberSet(UInt64(bitPattern: Int64(instruction.immediate)))), at: index)
            : state[instruction.source]
        if !isImmediate, size == .doubleWord {
            value = state.linked(value, at: index)
            state[instruction.source] = value
        }
        write(value, size, instruction, &state)
    }

    private func write(
        _ value: TrackedValue, _ size: MemorySize, _ instruction: Instruction, _ state: inout AnalysisState
    ) {
        let distance = AnalysisValue.number(NumberSet(UInt64(bitPattern: Int64(instruction.offset))))
        let address = state[instruction.destination].value
        switch address.moved(by: distance, .add) ?? address {
        case .frame(let depth, let offsets) where state.frames.indices.contains(depth):
            guard let offset = offsets.constant.map({ Int(Int64(bitPattern: $0)) }),
                (-StackUse.limit..<0).contains(offset)
            else {
                state.clear(behind: .frame(depth, offsets), size: size.bytes)
                return
            }
            var value = value
            if size != .doubleWord {
                value.value = .number((value.value.number ?? .full).zeroExtended(from: size.bits))
                value.link = nil
            }
            state.frames[depth].store(value, offset, size: size.bytes)
        case .mixed(let mixture) where mixture.contains(.frame):
            state.clearFrames()
        default:
            break
        }
    }

    private mutating func atomic(
        _ operation: AtomicOperation, _ size: MemorySize, _ instruction: Instruction, at index: Int,
        _ state: inout AnalysisState
    ) {
        switch operation {
        case .loadAcquire:
            state[instruction.destination] = load(
                from: instruction.source, instruction, at: index, size, &state)
        case .storeRelease:
            write(state[instruction.source], size, instruction, &state)
        default:
            let old = load(from: instruction.destination, instruction, at: index, size, &state)
            let new = TrackedValue(.number(NumberSet(bits: size.bits)), at: index)
            write(size == .doubleWord ? TrackedValue(.unknown, at: index) : new, size, instruction, &state)
            let fetched = old.value.number ?? .full
            let result = TrackedValue(.number(fetched), at: index)
            if operation == .compareExchange {
                state[.r0] = result
            } else if operation.fetches {
                state[instruction.source] = result
            }
        }
    }

    private mutating func loadWide(_ instruction: Instruction, at index: Int, _ state: inout AnalysisState) {
        guard instruction.isWide, code.instructions.indices.contains(index + 1) else {
            for register in RegisterSet.callerSaved.registers { state[register] = .unknown }
            return
        }
        let (first, second) = (instruction.immediate, code.instructions[index + 1].immediate)
        let value: AnalysisValue
        switch instruction.wideKind {
        case .plain:
            value = .number(
                NumberSet(UInt64(UInt32(bitPattern: second)) << 32 | UInt64(UInt32(bitPattern: first))))
        case .mapIndex:
            record.usedMaps.insert(Int(first))
            value = .maps([Int(first)])
        case .mapIndexValue:
            record.usedMaps.insert(Int(first))
            value = .mapValue(Int(first), NumberSet(UInt64(UInt32(bitPattern: second))))
        case .function:
            let target = layout.subprogram(startingAt: index + 1 + Int(first))
            value = target.map(AnalysisValue.function) ?? .unknown
        default:
            value = .unknown
        }
        state[instruction.destination] = TrackedValue(value, at: index)
    }
}

extension AnalysisValue {
    /// Whether it is a pointer for certain.
    fileprivate var isPointer: Bool {
        switch self {
        case .context, .frame, .maps, .mapValue, .function: true
        case .number, .mixed: false
        }
    }

    /// The pointer that much farther or nearer; nil if this is no pointer or the other no number.
    func moved(by other: AnalysisValue, _ operation: ArithmeticOperation) -> AnalysisValue? {
        guard case .number(let distance) = other else { return nil }
        let move = { (offset: NumberSet) in offset.result(operation, distance, is32: false) }
        switch self {
        case .context(let offset): return .context(move(offset))
        case .frame(let depth, let offset): return .frame(depth, move(offset))
        case .mapValue(let map, let offset): return .mapValue(map, move(offset))
        case .number, .maps, .function, .mixed: return nil
        }
    }
}
