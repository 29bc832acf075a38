// SPDX-License-Identifier: Apache-2.0

/// The registers whose value may be read before it is written, at the start of each block of a function.
///
/// Calls read nothing and leave r0 to r5 unwritten, the exit reads nothing: see
/// ``Instruction/registersRead``. The frame pointer counts like every other register.
public struct Liveness: Hashable, Sendable {
    /// The function.
    public let graph: ControlFlowGraph
    /// The live registers at the start of each block.
    public let atStart: [RegisterSet]

    /// The liveness in a function.
    public init(_ graph: ControlFlowGraph) {
        let effects = graph.blocks.indices.map { BlockEffect(graph, block: $0) }
        var atStart = [RegisterSet](repeating: [], count: graph.blocks.count)
        // Backwards; a block is looked at again when a successor has changed.
        var open = Array(graph.blocks.indices)
        var isOpen = [Bool](repeating: true, count: graph.blocks.count)
        while let block = open.popLast() {
            isOpen[block] = false
            var live: RegisterSet = []
            for successor in graph.blocks[block].successors { live.formUnion(atStart[successor]) }
            live = effects[block].reads.union(live.subtracting(effects[block].writes))
            guard live != atStart[block] else { continue }
            atStart[block] = live
            for predecessor in graph.blocks[block].predecessors where !isOpen[predecessor] {
                isOpen[predecessor] = true
                open.append(predecessor)
            }
        }
        self.graph = graph
        self.atStart = atStart
    }

    /// The liveness in a part of a program.
    public init(_ instructions: [Instruction], in range: Range<Int>) {
        self.init(ControlFlowGraph(instructions, in: range))
    }

    /// The registers that the function may read before it has written them.
    ///
    /// Of a program only r1 and r10 have a value on entry, so others are here only because of code that does
    /// not run.
    public var atEntry: RegisterSet { atStart.first ?? [] }

    /// The live registers before an instruction; empty outside of the function.
    public func before(_ index: Int) -> RegisterSet {
        guard let block = graph.block(containing: index) else { return [] }
        var live: RegisterSet = []
        for successor in graph.blocks[block].successors { live.formUnion(atStart[successor]) }
        for place in graph.indices(of: block).reversed() where place >= index {
            let instruction = graph.instructions[place]
            live = instruction.registersRead.union(live.subtracting(instruction.registersWritten))
        }
        return live
    }
}

/// What a block reads before writing it, and what it writes.
private struct BlockEffect {
    var reads: RegisterSet = []
    var writes: RegisterSet = []

    init(_ graph: ControlFlowGraph, block: Int) {
        for index in graph.indices(of: block) {
            let instruction = graph.instructions[index]
            reads.formUnion(instruction.registersRead.subtracting(writes))
            writes.formUnion(instruction.registersWritten)
        }
    }
}
