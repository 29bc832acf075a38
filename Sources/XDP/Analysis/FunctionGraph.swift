// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// A function's control flow, with the order in which its blocks are gone through.
struct FunctionGraph {
    let graph: ControlFlowGraph
    /// For each block its place in the order; nil if nothing leads there.
    let places: [Int?]
    /// The blocks to which a jump leads back.
    let isLoopHead: [Bool]
    /// The blocks that may be gone through again when they are done.
    let isInLoop: [Bool]
    /// The registers that matter before each block: those that something reads before it writes them.
    let live: [RegisterSet]
    /// The number of the block that starts at an instruction.
    private let blocks: [Int: Int]

    init(_ instructions: [Instruction], in range: Range<Int>) {
        let graph = ControlFlowGraph(instructions, in: range)
        var places = [Int?](repeating: nil, count: graph.blocks.count)
        for (place, block) in graph.reversePostorder.enumerated() { places[block] = place }
        // A circle cannot be closed without going back in the order.
        let order = places
        isLoopHead = graph.blocks.indices.map { block in
            guard let own = order[block] else { return false }
            return graph.blocks[block].predecessors.contains { order[$0].map { $0 >= own } ?? false }
        }
        self.graph = graph
        isInLoop = Self.isInLoop(graph, order)
        live = Self.live(graph)
        self.places = places
        var blocks: [Int: Int] = [:]
        for (number, block) in graph.blocks.enumerated() { blocks[block.range.lowerBound] = number }
        self.blocks = blocks
    }

    /// Everything between a loop's head and where it jumps back, in the order: more than the loop, never less.
    private static func isInLoop(_ graph: ControlFlowGraph, _ places: [Int?]) -> [Bool] {
        // For each place the farthest one from which a jump leads back to it.
        var ends = [Int](repeating: -1, count: graph.reversePostorder.count)
        for (place, block) in graph.reversePostorder.enumerated() {
            for successor in graph.blocks[block].successors {
                if let head = places[successor], head <= place { ends[head] = max(ends[head], place) }
            }
        }
        var isInLoop = [Bool](repeating: false, count: graph.blocks.count)
        var end = -1
        for (place, block) in graph.reversePostorder.enumerated() {
            end = max(end, ends[place])
            isInLoop[block] = place <= end
        }
        return isInLoop
    }

    /// Unlike `Liveness`, which leaves arguments and results out, because here nothing was verified yet.
    private static func live(_ graph: ControlFlowGraph) -> [RegisterSet] {
        var live = [RegisterSet](repeating: [], count: graph.blocks.count)
        let indices = graph.blocks.indices.map { graph.indices(of: $0) }
        var changed = true
        while changed {
            changed = false
            for block in graph.reversePostorder.reversed() {
                var set: RegisterSet = []
                for successor in graph.blocks[block].successors { set.formUnion(live[successor]) }
                for index in indices[block].reversed() {
                    let instruction = graph.instructions[index]
                    var read = instruction.registersRead
                    if instruction.isExit { read.insert(RegisterSet(.r0)) }
                    if instruction.isCall { read.formUnion(RegisterSet(rawValue: 0b11_1110)) }
                    set = read.union(set.subtracting(instruction.registersWritten))
                }
                guard set != live[block] else { continue }
                live[block] = set
                changed = true
            }
        }
        return live
    }

    func block(startingAt index: Int) -> Int? { blocks[index] }
}
