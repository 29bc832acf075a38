// SPDX-License-Identifier: Apache-2.0

/// A block of a program as a decision: what has to be evaluated, and where that leads.
struct ClassicDecision: Sendable {
    typealias Value = ClassicValues.Value

    enum End: Hashable, Sendable {
        case goto(Int)
        case test(ClassicTest, ifTrue: Int, ifFalse: Int)
        case accept
        case reject
        /// What A holds is the answer.
        case accumulator

        var targets: [Int] {
            switch self {
            case .goto(let target): [target]
            case .test(_, let ifTrue, let ifFalse): [ifTrue, ifFalse]
            case .accept, .reject, .accumulator: []
            }
        }
    }

    /// What can end the program here: loads behind the packet's end, and divisions.
    var checks: [Value]
    var end: End
    /// It reads what other blocks left, or leaves something to them: its instructions stay as they are.
    var isFixed: Bool
    /// The branch of the instructions asks the opposite of ``end``.
    var isInverted: Bool
    /// It asks something else than the instructions do.
    var isReplaced = false
}

extension ClassicDecision {
    /// Follows the instructions of a block.
    init(_ number: Int, of graph: ClassicGraph, isFixed: Bool, _ values: inout ClassicValues) {
        let block = graph.blocks[number]
        var state = State(block: number)
        self.init(checks: [], end: .reject, isFixed: isFixed, isInverted: false)
        for operation in block.operations {
            // What never has a value ends the program.
            guard state.follow(operation, &values) else {
                checks = state.checks
                self.isFixed = false
                return
            }
        }
        checks = state.checks
        switch block.end {
        case .goto(let target): end = .goto(target)
        case .constant(let number): end = number == 0 ? .reject : .accept
        case .accumulator:
            let answer = state.read(.accumulator, &values)
            if let number = values.constant(answer) {
                end = number == 0 ? .reject : .accept
            } else {
                end = .accumulator
                self.isFixed = true
            }
        case .branch(let condition, let operand, let ifTrue, let ifFalse):
            let left = state.read(.accumulator, &values)
            let right = state.operand(operand, &values)
            switch ClassicTest.simplified(condition, left, right, &values) {
            case .decided(let answer): end = .goto(answer ? ifTrue : ifFalse)
            case .test(let test, isInverted: false): end = .test(test, ifTrue: ifTrue, ifFalse: ifFalse)
            case .test(let test, isInverted: true):
                isInverted = true
                end = .test(test, ifTrue: ifFalse, ifFalse: ifTrue)
            }
        }
    }

    /// What A, X and memory hold while a block's instructions are followed.
    private struct State {
        let block: Int
        var places: [ClassicPlaces: Value] = [:]
        var checks: [Value] = []

        mutating func read(_ place: ClassicPlaces, _ values: inout ClassicValues) -> Value {
            if let known = places[place] { return known }
            let value = values.add(.entry(block: block, place))
            places[place] = value
            return value
        }

        mutating func operand(_ operand: ClassicOperand, _ values: inout ClassicValues) -> Value {
            switch operand {
            case .constant(let number): values.number(number)
            case .index: read(.index, &values)
            }
        }

        /// false if it ends the program for every packet.
        mutating func follow(_ operation: ClassicOperation, _ values: inout ClassicValues) -> Bool {
            switch operation {
            case .constant(let register, let number): places[.register(register)] = values.number(number)
            case .length(let register): places[.register(register)] = values.add(.length)
            case .packet(let size, let offset, isIndexed: false):
                places[.accumulator] = checked(values.add(.packet(size, offset)), values)
            case .packet(let size, let offset, isIndexed: true):
                let base = read(.index, &values)
                guard let value = values.indexed(size, base, offset) else { return false }
                places[.accumulator] = checked(value, values)
            case .headerLength(let offset):
                places[.index] = checked(values.add(.headerLength(offset)), values)
            case .load(let register, let place):
                places[.register(register)] = read(.memory(place), &values)
            case .store(let register, let place):
                places[.memory(place)] = read(.register(register), &values)
            case .arithmetic(let operation, let operand):
                let left = read(.accumulator, &values)
                let right = self.operand(operand, &values)
                guard let value = values.result(operation, left, right) else { return false }
                places[.accumulator] = checked(value, values)
            case .negate: places[.accumulator] = values.negated(read(.accumulator, &values))
            case .copyToIndex: places[.index] = read(.accumulator, &values)
            case .copyToAccumulator: places[.accumulator] = read(.index, &values)
            case .goto, .branch, .returnConstant, .returnAccumulator: break
            }
            return true
        }

        private mutating func checked(_ value: Value, _ values: ClassicValues) -> Value {
            if values.canFail(value), !checks.contains(value) { checks.append(value) }
            return value
        }
    }
}
