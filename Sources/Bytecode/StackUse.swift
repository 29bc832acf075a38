// SPDX-License-Identifier: Apache-2.0

/// How much of the stack each function of a program can use, without running the verifier.
///
/// An upper bound of what the program itself uses: copies of the frame pointer are followed through moves,
/// additions, spills and joins; where one gets lost in arithmetic, the whole frame counts. The kernel may add
/// slots of its own (``additions`` for bpf_loop; 8 or 16 bytes for may_goto, which do not count). Not seen is a function that
/// reaches below an address in its caller's frame that it was given.
public struct StackUse: Hashable, Sendable {
    /// The size of a stack frame, and of the frames of a chain of calls together, in bytes (MAX_BPF_STACK).
    public static let limit = 512

    /// The depth of each function's own frame in bytes, a multiple of 8, in the layout's order.
    public let depths: [Int]

    /// What the kernel adds to each function's frame: it writes a loop in place of a call of bpf_loop (since
    /// 5.19), which keeps three registers on the stack. Not part of ``depths``.
    public let additions: [Int]

    private let layout: ProgramLayout

    private static let loopHelper: Int32 = 181
    private static let loopAddition = 24

    /// The stack use of a program that has this layout.
    public init(_ instructions: [Instruction], layout: ProgramLayout) {
        self.init(main: ControlFlowGraph(instructions, in: layout.main), instructions, layout: layout)
    }

    /// The same for a caller that has the graph of the main function already.
    public init(main: ControlFlowGraph, _ instructions: [Instruction], layout: ProgramLayout) {
        let others = layout.subprograms.dropFirst().map {
            Self.depth(of: ControlFlowGraph(instructions, in: $0))
        }
        depths = [Self.depth(of: main)] + others
        additions = layout.subprograms.map { range in
            instructions[range].contains { $0.helperCall == Self.loopHelper } ? Self.loopAddition : 0
        }
        self.layout = layout
    }

    /// The depth of the main function's frame, in bytes.
    public var main: Int { depths.first ?? 0 }

    /// The depth of one function's frame, in bytes, rounded up to a multiple of 8.
    public static func depth(of graph: ControlFlowGraph) -> Int {
        var analysis = FrameAnalysis(graph)
        return (analysis.depth() + 7) / 8 * 8
    }

    /// The depth of the deepest chain of frames that starts with a function, in bytes.
    ///
    /// The verifier rounds each frame up, an empty one too, and takes up to ``limit`` for all together: to 32
    /// bytes up to kernel 6.8 and without JIT, to 16 later. Callbacks count as frames on top of the
    /// function that passes them on, also those of timers, which really start on a stack of their own.
    public func combinedDepth(from subprogram: Int = 0, rounding: Int) -> Int {
        let unit = max(rounding, 1)
        return layout.heaviestChain(from: subprogram) {
            (max(depths[$0] + additions[$0], 1) + unit - 1) / unit * unit
        }
    }
}
