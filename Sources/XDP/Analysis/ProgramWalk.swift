// SPDX-License-Identifier: Apache-2.0
import Bytecode

// An abstract interpretation over the control-flow graph of each function. Before each block stand the states
// behind its predecessors, some kept apart and the others joined, until nothing new comes. Subprograms are followed at
// each call, with the caller's frames at hand; what was followed with the same arguments is remembered.
//
// Why termination is certain: a loop's head that is entered too often has its numbers widened, then given
// up; cells of frames and links only vanish; origins are bounded. And there is a budget of instructions.

/// Goes through a program and records what it can do.
struct ProgramWalk {
    /// Why it was not gone through to the end.
    enum Surrender: Error {
        case tooLong
        case tooDeep
    }

    /// What a function leaves behind: its result and the frames of its callers; nil if it does not return.
    struct Outcome {
        var result: TrackedValue
        var frames: [AnalysisFrame]
    }

    /// What a call is remembered by.
    private struct Call: Hashable {
        var function: Int
        var arguments: [TrackedValue]
        var callers: [AnalysisFrame]
    }

    /// How much is done for an exact answer.
    struct Effort {
        /// States that are kept apart before a block.
        var variants: Int
        /// Instructions that are gone through before it is given up.
        var budget: Int

        /// Enough for most programs.
        static let exact = Effort(variants: 8, budget: 250_000)
        /// For those that are too long.
        static let rough = Effort(variants: 1, budget: 1_000_000)
    }

    /// Functions on top of each other; the kernel takes 8.
    private static let deepest = 16
    let code: ProgramCode
    let layout: ProgramLayout
    var record = UsageRecord()
    private var graphs: [FunctionGraph?]
    private var remembered: [Call: Outcome?] = [:]
    /// Callbacks of timers that were followed, or are being followed.
    private var laterCallbacks: Set<Int> = []
    private let effort: Effort
    private var steps = 0
    private var depth = 0

    init(_ code: ProgramCode, layout: ProgramLayout, effort: Effort = .exact) {
        self.effort = effort
        self.code = code
        self.layout = layout
        graphs = [FunctionGraph?](repeating: nil, count: layout.subprograms.count)
    }

    /// Goes through the main function.
    mutating func walk() throws(Surrender) {
        let context = TrackedValue(.context(NumberSet(0)))
        _ = try follow(0, AnalysisState(arguments: [context], callers: []))
    }

    /// The outcome of a subprogram, followed or remembered.
    mutating func call(
        _ function: Int, _ arguments: [TrackedValue], callers: [AnalysisFrame]
    ) throws(Surrender) -> Outcome? {
        let arguments = arguments.map(\.unlinked)
        // A callee that is given no frame's address cannot reach one.
        let reachesFrames = arguments.contains { $0.value.mayBeFrame }
        let visible = reachesFrames ? callers : []
        let call = Call(function: function, arguments: arguments, callers: visible)
        var outcome: Outcome?
        if let known = remembered[call] {
            outcome = known
        } else {
            guard depth < Self.deepest else { throw .tooDeep }
            depth += 1
            outcome = try follow(function, AnalysisState(arguments: arguments, callers: visible))
            depth -= 1
            remembered[call] = .some(outcome)
        }
        if !reachesFrames { outcome?.frames = callers }
        return outcome
    }

    /// Follows a callback that runs at another time, once.
    mutating func callLater(_ function: Int) throws(Surrender) {
        guard laterCallbacks.insert(function).inserted else { return }
        _ = try call(function, [], callers: [])
    }

    private mutating func graph(of function: Int) -> FunctionGraph {
        if let graph = graphs[function] { return graph }
        let graph = FunctionGraph(code.instructions, in: layout.subprograms[function])
        graphs[function] = graph
        return graph
    }

    /// Goes through a function until nothing changes.
    private mutating func follow(_ function: Int, _ entry: AnalysisState) throws(Surrender) -> Outcome? {
        let graph = graph(of: function)
        var flow = FunctionFlow(graph, entry: entry, isMain: function == 0, variants: effort.variants)
        while let (block, state) = flow.next() {
            try run(block, state, &flow)
        }
        return flow.outcome
    }

    /// Executes a block on the state before it, and hands what is behind it to its successors.
    private mutating func run(
        _ block: Int, _ state: AnalysisState, _ flow: inout FunctionFlow
    ) throws(Surrender) {
        var state = state
        steps += state.weight / 4
        let range = flow.graph.graph.blocks[block].range
        var index = range.lowerBound
        while index < range.upperBound {
            steps += 1
            guard steps < effort.budget else { throw .tooLong }
            let instruction = code.instructions[index]
            if instruction.opcode.instructionClass.isJump {
                if instruction.isExit {
                    leave(&flow, state, at: index)
                    return
                }
                if instruction.isCall {
                    guard try call(instruction, at: index, &state) else { return }
                    if !flow.isMain, !instruction.isSubprogramCall {
                        leaveByTailCall(&flow, state, at: index)
                    }
                } else if instruction.condition != nil {
                    branch(instruction, at: index, state, &flow)
                    return
                } else {
                    if let distance = instruction.jumpDistance {
                        flow.enter(index + 1 + distance, state)
                    }
                    if instruction.fallsThrough { flow.enter(index + 1, state) }
                    return
                }
            } else {
                step(instruction, at: index, &state)
            }
            index += instruction.slots
        }
        flow.enter(range.upperBound, state)
    }

    private mutating func leave(_ flow: inout FunctionFlow, _ state: AnalysisState, at index: Int) {
        if flow.isMain {
            record.addExit(state[.r0], at: index)
        } else {
            flow.leave(state)
        }
    }

    /// A program that a subprogram tail-calls returns to the subprogram's caller.
    private mutating func leaveByTailCall(
        _ flow: inout FunctionFlow, _ state: AnalysisState, at index: Int
    ) {
        guard callee(of: code.instructions[index], at: index) == .helper(HelperEffect.tailCall) else {
            return
        }
        var state = state
        state[.r0] = TrackedValue(.unknown, at: index)
        record.mayRedirect = true
        flow.leave(state)
    }

    private func branch(
        _ instruction: Instruction, at index: Int, _ state: AnalysisState, _ flow: inout FunctionFlow
    ) {
        guard let distance = instruction.jumpDistance else { return }
        for (holds, target) in [(true, index + 1 + distance), (false, index + 1)] {
            var state = state
            if state.assume(instruction, holds: holds) { flow.enter(target, state) }
        }
    }
}

extension AnalysisState {
    /// Takes over what a conditional jump says about its operands; false if it cannot go that way.
    fileprivate mutating func assume(_ instruction: Instruction, holds: Bool) -> Bool {
        guard let condition = instruction.condition else { return true }
        let is32 = instruction.opcode.instructionClass == .jump32
        let left = self[instruction.destination].value
        let fromRegister = instruction.opcode.operandKind == .register
        let right: AnalysisValue =
            fromRegister
            ? self[instruction.source].value
            : .number(NumberSet(UInt64(bitPattern: Int64(instruction.immediate))))
        // What may be a pointer becomes a number where it is zero, and stays what it is elsewhere.
        if case .mixed = left, right.number?.constant == 0, !is32, holds == (condition == .equal),
            condition == .equal || condition == .notEqual
        {
            self[instruction.destination].value = .number(NumberSet(0))
            return true
        }
        guard let left = left.number, let right = right.number else { return true }
        if fromRegister, instruction.source == instruction.destination {
            return condition.onItself(left, is32: is32).map { $0 == holds } ?? true
        }
        guard let both = NumberSet.compare(left, condition, right, is32: is32, holds: holds) else {
            return false
        }
        guard narrow(instruction.destination, to: both.left) else { return false }
        guard fromRegister else { return true }
        // The operand may have become known better as a copy of the other.
        let operand = self[instruction.source].value.number?.intersected(both.right)
        return operand.map { narrow(instruction.source, to: $0) } ?? false
    }
}

extension Condition {
    /// Whether a number compares so with itself; nil if that depends on the number.
    fileprivate func onItself(_ number: NumberSet, is32: Bool) -> Bool? {
        switch self {
        case .equal, .greaterOrEqual, .lessOrEqual, .signedGreaterOrEqual, .signedLessOrEqual: true
        case .notEqual, .greater, .less, .signedGreater, .signedLess: false
        case .anyBitSet: nil
        }
    }
}
