// SPDX-License-Identifier: Apache-2.0

extension ClassicProgram {
    /// The same program with fewer instructions (``ClassicOptimizer``). It has to be one that ``check()`` finds right.
    public var optimized: ClassicProgram {
        guard let graph = ClassicGraph(instructions) else { return self }
        return ClassicProgram(
            expression: expression, instructions: ClassicOptimizer.optimized(graph).instructions)
    }
}
