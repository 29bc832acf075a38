// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct ControlFlowGraphTests {
    /// 0: diamond over a 64-bit load, a loop, dead code.
    static let program: [Instruction] =
        [.jump(.equal, .r1, 0, 3)]  // 0
        + Instruction.loadImmediate64(.r2, 5)  // 1, 2
        + [
            .jump(1),  // 3
            .move(.r2, 0),  // 4
            .add(.r2, 1), .jump(.less, .r2, 9, -2),  // 5, 6
            .exit,  // 7
            .move(.r0, 1), .exit,  // 8, 9: dead
        ]

    @Test("blocks begin at targets and behind jumps")
    func blocks() {
        let graph = ControlFlowGraph(Self.program)

        #expect(graph.blocks.map(\.range) == [0..<1, 1..<4, 4..<5, 5..<7, 7..<8, 8..<10])
        #expect(graph.blocks.map(\.successors) == [[2, 1], [3], [3], [3, 4], [], []])
        #expect(graph.blocks.map(\.predecessors) == [[], [0], [0], [1, 2, 3], [3], []])
        #expect(graph.reachable == [0, 1, 2, 3, 4])
        #expect(graph.reversePostorder.first == 0)
        #expect(graph.indices(of: 1) == [1, 3])
        #expect(graph.block(containing: 2) == 1)
        #expect(graph.block(containing: 10) == nil)
    }

    @Test("a graph of a subprogram has the program's indices, and calls do not end a block")
    func subprogram() throws {
        let program: [Instruction] = [
            .call(relative: 1), .exit, .call(helper: 5), .jump(.equal, .r0, 0, 0), .exit,
        ]
        let layout = try ProgramLayout(program)

        let graph = ControlFlowGraph(program, in: layout.subprograms[1])

        #expect(graph.blocks.map(\.range) == [2..<4, 4..<5])
        #expect(graph.blocks[0].successors == [1])
    }

    @Test("an empty or outlying range has an empty graph")
    func empty() {
        #expect(ControlFlowGraph([]).blocks.isEmpty)
        #expect(ControlFlowGraph([.exit], in: 5..<9).blocks.isEmpty)
        #expect(ControlFlowGraph([.exit], in: 0..<9).blocks.count == 1)
    }
}
