// SPDX-License-Identifier: Apache-2.0

/// Instructions that run one after the other, entered only at the first and left only at the last.
public struct BasicBlock: Hashable, Sendable {
    /// The instructions' indices in the program.
    public let range: Range<Int>
    /// The numbers of the blocks that can run next: that of the jump's target first, then the one behind.
    public internal(set) var successors: [Int]
    /// The numbers of the blocks that can run before, ascending.
    public internal(set) var predecessors: [Int]
}
