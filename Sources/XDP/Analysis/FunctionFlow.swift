// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// The states of one function while it is gone through.
struct FunctionFlow {
    /// Rounds of a loop before its numbers are widened, and before they are given up.
    private static let patience = (some: 3, all: 8)

    let graph: FunctionGraph
    let isMain: Bool
    private(set) var outcome: ProgramWalk.Outcome?

    /// How many states are kept apart before a block.
    private let variants: Int
    /// Before each block; none where nothing came yet.
    private var states: [[AnalysisState]]
    /// Those that were not gone through yet.
    private var open: [[Int]]
    private var rounds: [Int]
    /// No block before this one in the order is open.
    private var place = 0

    init(_ graph: FunctionGraph, entry: AnalysisState, isMain: Bool, variants: Int) {
        self.graph = graph
        self.isMain = isMain
        self.variants = variants
        let count = graph.graph.blocks.count
        states = [[AnalysisState]](repeating: [], count: count)
        open = [[Int]](repeating: [], count: count)
        rounds = [Int](repeating: 0, count: count)
        guard count > 0 else { return }
        states[0] = [entry]
        open[0] = [0]
    }

    /// The next block to go through, the first in the order that has a new state; nil at the end.
    mutating func next() -> (block: Int, state: AnalysisState)? {
        let order = graph.graph.reversePostorder
        while place < order.count, open[order[place]].isEmpty { place += 1 }
        guard place < order.count, let state = open[order[place]].popLast() else { return nil }
        let block = order[place]
        rounds[block] += 1
        let found = states[block][state]
        // Everything that leads here was gone through: nothing will be joined to it any more.
        if open[block].isEmpty, !graph.isInLoop[block] { states[block] = [] }
        return (block, found)
    }

    /// Brings a state to the block that starts at an instruction.
    ///
    /// Few states are kept apart, because what registers have to do with each other is lost where states are
    /// joined. At a loop's head there is one.
    mutating func enter(_ index: Int, _ state: AnalysisState) {
        guard let block = graph.block(startingAt: index), let position = graph.places[block] else { return }
        var state = state
        state.keep(graph.live[block])
        var widening = AnalysisValue.Widening.none
        if graph.isLoopHead[block] {
            if rounds[block] >= Self.patience.all {
                widening = .all
            } else if rounds[block] >= Self.patience.some {
                widening = .some
            }
        }
        let most = graph.isLoopHead[block] ? 1 : variants
        guard let variant = variant(for: state, of: block, most, widening) else { return }
        if !open[block].contains(variant) { open[block].append(variant) }
        place = min(place, position)
    }

    /// Puts a state to those of a block; nil if it says nothing new.
    private mutating func variant(
        for state: AnalysisState, of block: Int, _ most: Int, _ widening: AnalysisValue.Widening
    ) -> Int? {
        for (number, old) in states[block].enumerated() where most > 1 {
            if old.holds(state) { return nil }
            if old.hasSameValues(as: state) {
                states[block][number] = old.joined(state, widening: .none)
                return number
            }
        }
        if states[block].count < most {
            states[block].append(state)
            return states[block].count - 1
        }
        let last = states[block].count - 1
        let joined = states[block][last].joined(state, widening: widening)
        guard joined != states[block][last] else { return nil }
        states[block][last] = joined
        return last
    }

    /// Brings a state to the end of the function.
    mutating func leave(_ state: AnalysisState) {
        var state = state
        state.frames.removeLast()
        state.unlinkFrames()
        let result = state[.r0].unlinked
        guard let old = outcome else {
            outcome = ProgramWalk.Outcome(result: result, frames: state.frames)
            return
        }
        outcome = ProgramWalk.Outcome(
            result: old.result.joined(result),
            frames: zip(old.frames, state.frames).map { $0.joined($1, widening: .none) })
    }
}
