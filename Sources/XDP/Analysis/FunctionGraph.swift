// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// A function's control flow, with the order in which its blocks are gone through.
struct FunctionGraph {
    let graph: ControlFlowGraph
    /// For each block its place in the order; nil if nothing leads there.
    let places: [Int?]
    /// The blocks to which a jump leads back.
    let isLoopHead: [Bool]
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
        self.places = places
        var blocks: [Int: Int] = [:]
        for (number, block) in graph.blocks.enumerated() { blocks[block.range.lowerBound] = number }
        self.blocks = blocks
    }

    func block(startingAt index: Int) -> Int? { blocks[index] }
}
