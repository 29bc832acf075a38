// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// The states of one function while it is gone through.
struct FunctionFlow {
    /// Rounds of a loop before its numbers are widened, and before they are given up.
    private static let patience = (some: 3, all: 8)

    let graph: FunctionGraph
    let isMain: Bool
    /// Before each block; nil where nothing came yet.
    private(set) var states: [AnalysisState?]
    private(set) var outcome: ProgramWalk.Outcome?

    private var rounds: [Int]
    /// By place in the order.
    private var isOpen: [Bool]
    private var place = 0

    init(_ graph: FunctionGraph, entry: AnalysisState, isMain: Bool) {
        self.graph = graph
        self.isMain = isMain
        let count = graph.graph.blocks.count
        states = [AnalysisState?](repeating: nil, count: count)
        rounds = [Int](repeating: 0, count: count)
        isOpen = [Bool](repeating: false, count: graph.graph.reversePostorder.count)
        guard count > 0, !isOpen.isEmpty else { return }
        states[0] = entry
        isOpen[0] = true
    }

    /// The next block to go through, the first in the order whose state changed; nil at the end.
    mutating func next() -> Int? {
        while place < isOpen.count, !isOpen[place] { place += 1 }
        guard place < isOpen.count else { return nil }
        isOpen[place] = false
        let block = graph.graph.reversePostorder[place]
        rounds[block] += 1
        return block
    }

    /// Brings a state to the block that starts at an instruction.
    mutating func enter(_ index: Int, _ state: AnalysisState) {
        guard let block = graph.block(startingAt: index), let position = graph.places[block] else { return }
        if let old = states[block] {
            var widening = AnalysisValue.Widening.none
            if graph.isLoopHead[block] {
                if rounds[block] >= Self.patience.all {
                    widening = .all
                } else if rounds[block] >= Self.patience.some {
                    widening = .some
                }
            }
            let joined = old.joined(state, widening: widening)
            guard joined != old else { return }
            states[block] = joined
        } else {
            states[block] = state
        }
        isOpen[position] = true
        place = min(place, position)
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
