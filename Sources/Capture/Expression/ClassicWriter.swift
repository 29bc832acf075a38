// SPDX-License-Identifier: Apache-2.0

/// Writes decisions as instructions of libpcap's machine (step 5 of ``ClassicOptimizer``).
struct ClassicWriter {
    private typealias Value = ClassicValues.Value

    private let graph: ClassicGraph
    private let decisions: [ClassicDecision]
    private let values: ClassicValues

    /// What a packet that matches is answered with, as libpcap does for ``ClassicProgram/init(compiling:)``.
    private static let accepted: UInt32 = 262_144

    init(_ graph: ClassicGraph, _ decisions: [ClassicDecision], _ values: ClassicValues) {
        self.graph = graph
        self.decisions = decisions
        self.values = values
    }

    /// A and X.
    private struct Registers: Hashable {
        var accumulator: Value?
        var index: Value?

        func joined(_ other: Registers) -> Registers {
            Registers(
                accumulator: accumulator == other.accumulator ? accumulator : nil,
                index: index == other.index ? index : nil)
        }
    }

    func written() -> ClassicGraph {
        var result = graph
        var atEntry = [Registers?](repeating: nil, count: decisions.count)
        atEntry[0] = Registers()
        for number in decisions.indices {
            guard let registers = atEntry[number] else { continue }
            let (block, after) = write(number, registers)
            result.blocks[number] = block
            for target in decisions[number].end.targets {
                atEntry[target] = atEntry[target].map { $0.joined(after) } ?? after
            }
        }
        return Self.merged(result)
    }

    /// Blocks of the same instructions, which may ask it of different numbers, are there once.
    private static func merged(_ graph: ClassicGraph) -> ClassicGraph {
        var result = graph
        var stands = Array(graph.blocks.indices)
        var known: [ClassicGraph.Block: Int] = [:]
        for number in graph.blocks.indices.reversed() {
            var block = graph.blocks[number]
            block.end = block.end.moved { stands[$0] }
            result.blocks[number] = block
            if let twin = known[block] { stands[number] = twin } else { known[block] = number }
        }
        return result
    }

    private func write(_ number: Int, _ registers: Registers) -> (ClassicGraph.Block, Registers) {
        let decision = decisions[number]
        let original = graph.blocks[number]
        let asItWas = (
            ClassicGraph.Block(operations: original.operations, end: originalEnd(number)), Registers()
        )
        guard !decision.isFixed else { return asItWas }
        var section = Section(values: values, registers: registers)
        guard let end = section.write(decision, accepted: Self.accepted) else { return asItWas }
        guard section.operations.count <= original.operations.count || !isWhole(number) else {
            return asItWas
        }
        return (ClassicGraph.Block(operations: section.operations, end: end), section.registers)
    }

    /// Whether the original instructions still say everything: their branch was not decided.
    private func isWhole(_ number: Int) -> Bool {
        guard !decisions[number].isReplaced else { return false }
        if case .branch = graph.blocks[number].end, case .test = decisions[number].end { return true }
        return false
    }

    private func originalEnd(_ number: Int) -> ClassicGraph.End {
        switch decisions[number].end {
        case .goto(let target): return .goto(target)
        case .accept: return .constant(Self.accepted)
        case .reject: return .constant(0)
        case .accumulator: return .accumulator
        case .test(_, let ifTrue, let ifFalse):
            guard case .branch(let condition, let operand, _, _) = graph.blocks[number].end else {
                return .constant(0)
            }
            let isInverted = decisions[number].isInverted
            return .branch(
                condition, operand, ifTrue: isInverted ? ifFalse : ifTrue,
                ifFalse: isInverted ? ifTrue : ifFalse)
        }
    }

    // MARK: - One decision

    /// The instructions of a decision, and what A and X hold behind each.
    private struct Section {
        let values: ClassicValues
        var registers: Registers
        var operations: [ClassicOperation] = []
        private var memoryInUse = 0
        private var depth = 0

        init(values: ClassicValues, registers: Registers) {
            self.values = values
            self.registers = registers
        }

        /// nil if it cannot be written so.
        mutating func write(_ decision: ClassicDecision, accepted: UInt32) -> ClassicGraph.End? {
            var needed: Set<Value> = []
            var tested: [Value] = []
            if case .test(let test, _, _) = decision.end { tested = [test.left, test.right] }
            for value in tested { collect(value, &needed) }
            for check in remaining(decision.checks, beside: needed) {
                guard writeToAccumulator(check) else { return nil }
            }
            switch decision.end {
            case .goto(let target): return .goto(target)
            case .accept: return .constant(accepted)
            case .reject: return .constant(0)
            case .accumulator: return nil
            case .test(let test, let ifTrue, let ifFalse):
                if let number = values.constant(test.right) {
                    guard writeToAccumulator(test.left) else { return nil }
                    return .branch(test.condition, .constant(number), ifTrue: ifTrue, ifFalse: ifFalse)
                }
                guard writeToBoth(test.left, test.right) else { return nil }
                return .branch(test.condition, .index, ifTrue: ifTrue, ifFalse: ifFalse)
            }
        }

        private func collect(_ value: Value, _ found: inout Set<Value>) {
            guard found.insert(value).inserted else { return }
            for operand in values.operands(value) { collect(operand, &found) }
        }

        /// The checks that evaluating `needed`, or another check, does not make by the way.
        private func remaining(_ checks: [Value], beside needed: Set<Value>) -> [Value] {
            var facts = ClassicFacts()
            for value in needed where values.canFail(value) { facts.note(value, values) }
            var result: [Value] = []
            // The farthest loads first: they make the others needless.
            for check in checks.sorted(by: { reach($0) > reach($1) }) where !facts.isSafe(check, values) {
                result.append(check)
                var made: Set<Value> = []
                collect(check, &made)
                for value in made where values.canFail(value) { facts.note(value, values) }
            }
            return result
        }

        private func reach(_ check: Value) -> UInt64 {
            switch values[check] {
            case .packet(let size, let offset), .indexed(let size, _, let offset):
                UInt64(offset) + UInt64(size.bytes)
            case .headerLength(let offset): UInt64(offset) + 1
            default: .max
            }
        }

        // MARK: Expressions

        private mutating func append(
            _ operation: ClassicOperation, _ value: Value, to register: ClassicRegister
        ) {
            operations.append(operation)
            if register == .accumulator { registers.accumulator = value } else { registers.index = value }
        }

        /// A = value; false if that is too deep.
        private mutating func writeToAccumulator(_ value: Value) -> Bool {
            if registers.accumulator == value { return true }
            if registers.index == value {
                append(.copyToAccumulator, value, to: .accumulator)
                return true
            }
            depth += 1
            defer { depth -= 1 }
            guard depth < 64, operations.count < 512 else { return false }
            switch values[value] {
            case .constant(let number): append(.constant(.accumulator, number), value, to: .accumulator)
            case .length: append(.length(.accumulator), value, to: .accumulator)
            case .packet(let size, let offset):
                append(.packet(size, offset: offset, isIndexed: false), value, to: .accumulator)
            case .indexed(let size, let base, let offset):
                guard writeToIndex(base) else { return false }
                append(.packet(size, offset: offset, isIndexed: true), value, to: .accumulator)
            case .headerLength:
                guard writeToIndex(value) else { return false }
                append(.copyToAccumulator, value, to: .accumulator)
            case .arithmetic(let operation, let left, let right):
                if let number = values.constant(right) {
                    guard writeToAccumulator(left) else { return false }
                    append(.arithmetic(operation, .constant(number)), value, to: .accumulator)
                } else {
                    let swaps = operation.isCommutative && !isDirect(right) && isDirect(left)
                    guard writeToBoth(swaps ? right : left, swaps ? left : right) else { return false }
                    append(.arithmetic(operation, .index), value, to: .accumulator)
                }
            case .entry: return false
            }
            return true
        }

        /// X = value; A is lost unless it can be loaded directly.
        private mutating func writeToIndex(_ value: Value) -> Bool {
            if registers.index == value { return true }
            if registers.accumulator == value {
                append(.copyToIndex, value, to: .index)
                return true
            }
            switch values[value] {
            case .constant(let number): append(.constant(.index, number), value, to: .index)
            case .length: append(.length(.index), value, to: .index)
            case .headerLength(let offset): append(.headerLength(offset), value, to: .index)
            default:
                guard writeToAccumulator(value) else { return false }
                append(.copyToIndex, value, to: .index)
            }
            return true
        }

        /// A = left, X = right
        private mutating func writeToBoth(_ left: Value, _ right: Value) -> Bool {
            if isDirect(right) { return writeToAccumulator(left) && writeToIndex(right) }
            if registers.index == right, !needsIndex(left) { return writeToAccumulator(left) }
            if !needsIndex(left) { return writeToIndex(right) && writeToAccumulator(left) }
            guard memoryInUse < ClassicProgram.memoryWords else { return false }
            let place = memoryInUse
            memoryInUse += 1
            defer { memoryInUse -= 1 }
            guard writeToAccumulator(right) else { return false }
            operations.append(.store(.accumulator, memory: place))
            guard writeToAccumulator(left) else { return false }
            append(.load(.index, memory: place), right, to: .index)
            return true
        }

        /// Whether X can be loaded with it, and A be kept.
        private func isDirect(_ value: Value) -> Bool {
            switch values[value] {
            case .constant, .length, .headerLength: true
            case .packet, .indexed, .arithmetic, .entry: false
            }
        }

        /// Whether calculating it takes X.
        private func needsIndex(_ value: Value) -> Bool {
            switch values[value] {
            case .constant, .length, .packet: false
            case .indexed, .headerLength, .entry: true
            case .arithmetic(_, let left, let right):
                values.constant(right) == nil || needsIndex(left)
            }
        }
    }
}
