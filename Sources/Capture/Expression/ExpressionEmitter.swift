// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Writes the code of an expression.
///
/// | Register | Content |
/// |---|---|
/// | r0 | A, 32 bits |
/// | r1–r4 | scratch |
/// | r5 | the address of the byte at X, where ``Known/indexed`` says so |
/// | r6 | the context |
/// | r7, r8 | the first buffer's begin and end |
/// | r9 | X, 32 bits |
///
/// | Stack below ``CaptureFrame/expression`` | Content |
/// |---|---|
/// | 4 bytes | A while a helper is called |
/// | 4 bytes | what a helper reads from the packet |
/// | 4 bytes of 8 each | the words of memory that are used |
///
/// What is stored in four bytes at a place that is no multiple of 8 the verifier forgets: so it does not follow the code behind it once
/// for each number that may stand there.
struct ExpressionEmitter {
    let plan: ExpressionPlan
    let abilities: CaptureAbilities
    var code: Assembler
    private let rejects: Label
    /// Only the second variant is written.
    private let isPrecise: Bool

    /// What is known at an instruction on every way to it.
    struct Known {
        /// Bytes of the first buffer that the verifier knows to be there.
        var length: UInt64 = 0
        /// Bytes behind r5 likewise; nil if r5 holds nothing.
        var indexed: UInt64?
        /// The largest number that X can be.
        var highestIndex: UInt32 = .max

        func joined(_ other: Known) -> Known {
            var result = Known()
            result.length = min(length, other.length)
            if let indexed, let others = other.indexed { result.indexed = min(indexed, others) }
            result.highestIndex = max(highestIndex, other.highestIndex)
            return result
        }
    }

    enum Variant {
        case whole, precise
    }

    /// Of `enum bpf_func_id` (linux/bpf.h).
    enum Helper {
        static let length: Int32 = 188
        static let load: Int32 = 189
    }

    /// What the first variant asks for at once, at the beginning and at the first load behind that: Ethernet's and IPv4's header;
    /// IPv6 and ports, which is about the shortest frame that a card gives.
    static let steps: [UInt64] = [34, 60]
    /// Likewise behind X: Ethernet's header and ports; Ethernet's header and TCP's without options.
    static let indexedSteps: [UInt64] = [18, 34]
    static let highestHeaderLength: UInt32 = 60
    /// The verifier follows a pointer into the packet so far (MAX_PACKET_OFF).
    static let farthest: UInt64 = 0xffff

    /// Multiple of 8, plus 4.
    static let savedSlot = CaptureFrame.expression - 4
    static let bufferSlot = CaptureFrame.expression - 8

    private var memorySlots: [Int: Int16] = [:]

    var variant = Variant.whole
    /// By instruction, for the variant that is written; nil for what nothing leads to.
    private var known: [Known?] = []
    /// On how many ways that is.
    private var ways: [Int] = []
    private var labels: [Label?] = []
    private let matches: Label
    let precise: Label
    /// Something leads to the second variant, to a match, and to none.
    var needsPrecise = false
    private(set) var canMatch = false
    private(set) var canReject = false

    init(
        _ plan: ExpressionPlan, _ abilities: CaptureAbilities, code: Assembler, reject: Label,
        isPrecise: Bool
    ) {
        self.plan = plan
        self.abilities = abilities
        self.code = code
        rejects = reject
        self.isPrecise = isPrecise
        matches = self.code.label()
        precise = self.code.label()
        for (number, place) in plan.memory.enumerated() {
            memorySlots[place] = Self.savedSlot - 8 * Int16(number + 1)
        }
    }

    mutating func emit() {
        let needsPacket = !plan.loads.isEmpty || plan.hasIndexedLoads || plan.hasLength
        if needsPacket, !isPrecise || !abilities.hasBufferAccess || plan.hasLength {
            append(.load(.word, .r7, from: .r6, offset: 0), .load(.word, .r8, from: .r6, offset: 4))
        }
        if !isPrecise {
            variant = .whole
            emitVariant()
        }
        if isPrecise || needsPrecise {
            code.place(precise)
            variant = .precise
            emitVariant()
        }
        code.place(matches)
    }

    /// Where packets go that do not match.
    var reject: Label {
        mutating get {
            canReject = true
            return rejects
        }
    }

    mutating func append(_ instructions: Instruction...) {
        code.append(instructions)
    }

    // MARK: - A variant

    private mutating func emitVariant() {
        known = [Known?](repeating: nil, count: plan.operations.count)
        ways = known.map { _ in 0 }
        labels = [Label?](repeating: nil, count: plan.operations.count)
        var start = Known()
        if variant == .whole { emitFirstCheck(&start) }
        let live = plan.liveAt.first ?? []
        if live.contains(.accumulator) { append(.move32(.r0, 0)) }
        if live.contains(.index) {
            append(.move32(.r9, 0))
            start.highestIndex = 0
        }
        known[0] = start
        for index in plan.operations.indices {
            guard var before = known[index] else { continue }
            if let label = labels[index] { code.place(label) }
            if ways[index] > 1 { forget(at: index, &before) }
            emit(index, before)
        }
    }

    /// Has the verifier forget what numbers it knows on some of the ways to an instruction, or it would follow what stands behind it
    /// once for each.
    private mutating func forget(at index: Int, _ known: inout Known) {
        let live = plan.liveAt[index]
        if live.contains(.accumulator) { forget(.r0) }
        // As it comes out of an IPv4 header nothing more is known of it on any way.
        guard live.contains(.index), known.highestIndex > Self.highestHeaderLength else { return }
        forget(.r9)
        known.highestIndex = .max
    }

    private mutating func forget(_ register: Register) {
        append(
            .store(.word, register, to: .framePointer, offset: Self.savedSlot),
            .load(.word, register, from: .framePointer, offset: Self.savedSlot))
    }

    /// Asks at once for what lies in the shortest frame.
    private mutating func emitFirstCheck(_ known: inout Known) {
        guard let wanted = farthestEnd(within: Self.steps[0]) else { return }
        emitCheck(.r7, wanted, isExact: wanted <= plan.neededAtEntry)
        known.length = wanted
    }

    /// Where the last load ends of those that end up to there.
    func farthestEnd(within limit: UInt64) -> UInt64? {
        plan.loads.lazy.map(\.end).filter { $0 <= limit }.max()
    }

    /// The label of an instruction of this variant.
    private mutating func label(_ index: Int) -> Label {
        if let label = labels[index] { return label }
        let label = code.label()
        labels[index] = label
        return label
    }

    mutating func label(_ target: ExpressionPlan.Target) -> Label {
        switch target {
        case .accept: matches
        case .reject: reject
        case .instruction(let index): label(index)
        }
    }

    mutating func lead(to target: ExpressionPlan.Target, _ state: Known, ways count: Int = 1) {
        guard case .instruction(let index) = target else {
            if target == .accept { canMatch = true }
            return
        }
        known[index] = known[index]?.joined(state) ?? state
        ways[index] += count
    }

    /// The next instruction that is written, and so needs no jump.
    private func follows(_ target: ExpressionPlan.Target, _ index: Int) -> Bool {
        switch target {
        case .instruction(let next): (index + 1..<next).allSatisfy { known[$0] == nil }
        case .accept:
            // The end of the last variant is where matching packets go on.
            (variant == .precise || !needsPrecise)
                && (index + 1..<known.count).allSatisfy { known[$0] == nil }
        case .reject: false
        }
    }

    private mutating func jump(to target: ExpressionPlan.Target, from index: Int) {
        if target == .accept { canMatch = true }
        if !follows(target, index) { code.jump(to: label(target)) }
    }

    // MARK: - Instructions

    private mutating func emit(_ index: Int, _ before: Known) {
        var state = before
        switch plan.operations[index] {
        case .branch(let condition, let operand): return emitBranch(index, condition, operand, state)
        case .returnConstant(let number):
            return jump(to: number == 0 ? .reject : .accept, from: index)
        case .returnAccumulator:
            code.jump32(.equal, .r0, 0, to: reject)
            return jump(to: .accept, from: index)
        case .goto: break
        case .constant(.accumulator, let number): append(.move32(.r0, Int32(bitPattern: number)))
        case .constant(.index, let number):
            append(.move32(.r9, Int32(bitPattern: number)))
            state.indexed = nil
            state.highestIndex = number
        case .length(let register): emitLength(register, index, &state)
        case .load(let register, let place):
            append(
                .load(.word, Self.register(register), from: .framePointer, offset: memorySlots[place] ?? 0))
            if register == .index { state.forgetIndex() }
        case .store(let register, let place):
            append(
                .store(.word, Self.register(register), to: .framePointer, offset: memorySlots[place] ?? 0))
        case .negate: append(.negate32(.r0))
        case .copyToIndex:
            append(.move32(.r9, .r0))
            state.forgetIndex()
        case .copyToAccumulator: append(.move32(.r0, .r9))
        case .arithmetic(let operation, let operand): emitArithmetic(operation, operand)
        case .packet(let size, let offset, let isIndexed):
            let isThere =
                isIndexed
                ? emitIndexed(size, offset, index, &state)
                : emitLoad(.init(size: size, offset: offset), to: .r0, index, &state)
            guard isThere else { return }
            if plan.rawSize[index] == nil, size != .byte {
                append(.toBigEndian(.r0, bits: size == .half ? 16 : 32))
            }
        case .headerLength(let offset):
            guard emitLoad(.init(size: .byte, offset: offset), to: .r9, index, &state) else { return }
            // In 64 bits, so that every verifier sees how large it can be.
            append(.alu64(.and, .r9, 0x0f), .alu64(.shiftLeft, .r9, 2))
            state.indexed = nil
            state.highestIndex = Self.highestHeaderLength
        }
        lead(to: plan.ifTrue[index], state)
        jump(to: plan.ifTrue[index], from: index)
    }

    static func register(_ register: ClassicRegister) -> Register {
        register == .accumulator ? .r0 : .r9
    }

    private mutating func emitArithmetic(_ operation: ClassicArithmetic, _ operand: ClassicOperand) {
        let kind: ArithmeticOperation =
            switch operation {
            case .add: .add
            case .subtract: .subtract
            case .multiply: .multiply
            case .divide: .divide
            case .modulo: .modulo
            case .or: .or
            case .and: .and
            case .xor: .xor
            case .shiftLeft: .shiftLeft
            case .shiftRight: .shiftRight
            }
        guard case .index = operand else {
            if case .constant(let number) = operand { append(.alu32(kind, .r0, Int32(bitPattern: number))) }
            return
        }
        switch operation {
        case .divide, .modulo:
            code.jump32(.equal, .r9, 0, to: reject)
            append(.alu32(kind, .r0, .r9))
        case .shiftLeft, .shiftRight:
            let (isSmall, done) = (code.label(), code.label())
            code.jump32(.less, .r9, 32, to: isSmall)
            append(.move32(.r0, 0))
            code.jump(to: done)
            code.place(isSmall)
            append(.alu32(kind, .r0, .r9))
            code.place(done)
        default: append(.alu32(kind, .r0, .r9))
        }
    }

    private mutating func emitBranch(
        _ index: Int, _ condition: ClassicCondition, _ operand: ClassicOperand, _ state: Known
    ) {
        let list = condition == .equal ? plan.equalities(from: index) : ([], index)
        if list.0.count >= Self.shortestSearch { return emitSearch(list.0, from: index, list.1, state) }
        let (yes, no) = (plan.ifTrue[index], plan.ifFalse[index])
        lead(to: yes, state)
        lead(to: no, state)
        let kind: Condition =
            switch condition {
            case .equal: .equal
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            case .anyBitSet: .anyBitSet
            }
        guard yes != no else { return jump(to: yes, from: index) }
        if follows(yes, index), let opposite = kind.inverted {
            return emitTest(opposite, operand, plan.rawSize[index], to: label(no))
        }
        emitTest(kind, operand, plan.rawSize[index], to: label(yes))
        jump(to: no, from: index)
    }

    /// Lists of so many constants are searched by halves.
    private static let shortestSearch = 8

    /// Looks for A in a list of constants: the branches from the first to the last.
    private mutating func emitSearch(_ constants: [UInt32], from first: Int, _ last: Int, _ state: Known) {
        let (yes, no) = (plan.ifTrue[first], plan.ifFalse[last])
        lead(to: yes, state, ways: constants.count)
        lead(to: no, state, ways: constants.count)
        // In which order does not matter: it is that of the numbers as they stand in r0.
        let numbers = Set(constants.map { immediate($0, isEquality: true, plan.rawSize[first]) }).sorted()
        emitSearch(numbers[...], to: label(yes), else: label(no), isLast: follows(no, last))
    }

    private mutating func emitSearch(
        _ numbers: ArraySlice<UInt32>, to yes: Label, else no: Label, isLast: Bool
    ) {
        guard numbers.count > 4 else {
            for number in numbers { code.jump32(.equal, .r0, Int32(bitPattern: number), to: yes) }
            if !isLast { code.jump(to: no) }
            return
        }
        let middle = numbers.startIndex + numbers.count / 2
        let isLower = code.label()
        code.jump32(.less, .r0, Int32(bitPattern: numbers[middle]), to: isLower)
        emitSearch(numbers[middle...], to: yes, else: no, isLast: false)
        code.place(isLower)
        emitSearch(numbers[..<middle], to: yes, else: no, isLast: isLast)
    }

    private mutating func emitTest(
        _ condition: Condition, _ operand: ClassicOperand, _ rawSize: ClassicSize?, to target: Label
    ) {
        guard case .constant(let number) = operand else {
            return code.jump32(condition, .r0, .r9, to: target)
        }
        let isEquality = condition == .equal || condition == .notEqual
        let immediate = immediate(number, isEquality: isEquality, rawSize)
        code.jump32(condition, .r0, Int32(bitPattern: immediate), to: target)
    }

    /// A constant as r0 is compared with it.
    private func immediate(_ number: UInt32, isEquality: Bool, _ rawSize: ClassicSize?) -> UInt32 {
        switch rawSize {
        case .half?:
            // A number of more bits is not equal to any of 16, and only its lower half can have bits in common.
            if isEquality, number > 0xffff { return number }
            return UInt32(UInt16(truncatingIfNeeded: number).byteSwapped)
        case .word?: return number.byteSwapped
        default: return number
        }
    }
}

extension ExpressionEmitter.Known {
    mutating func forgetIndex() {
        indexed = nil
        highestIndex = .max
    }
}
