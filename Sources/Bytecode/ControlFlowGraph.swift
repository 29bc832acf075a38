// SPDX-License-Identifier: Apache-2.0

/// The basic blocks of a function and the jumps between them.
///
/// A call is not the end of a block. Edges that a valid program cannot have (out of the range, into a 64-bit
/// immediate load) are left out, so that every range of instructions has a graph.
public struct ControlFlowGraph: Hashable, Sendable {
    /// The program that the graph is about.
    public let instructions: [Instruction]
    /// The function's instructions.
    public let range: Range<Int>
    /// The blocks in the order of their instructions; the first is the entry.
    public private(set) var blocks: [BasicBlock]
    /// The numbers of the blocks that can be reached from the entry, each before its successors except where
    /// a loop forbids it (reverse postorder).
    public let reversePostorder: [Int]

    /// The graph of a part of a program; the range is cut to the program's.
    public init(_ instructions: [Instruction], in range: Range<Int>) {
        let range = range.clamped(to: instructions.indices)
        self.instructions = instructions
        self.range = range
        let starts = Self.starts(of: instructions, in: range)
        blocks = Self.blocks(instructions, range, starts)
        reversePostorder = Self.reversePostorder(blocks)
    }

    /// The graph of a whole program that has no subprograms.
    public init(_ instructions: [Instruction]) {
        self.init(instructions, in: instructions.indices)
    }

    /// The number of the block that an instruction belongs to; nil outside of the range.
    public func block(containing index: Int) -> Int? {
        guard range.contains(index) else { return nil }
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].range.lowerBound <= index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// The numbers of the blocks that can be reached from the entry, ascending.
    public var reachable: [Int] { reversePostorder.sorted() }

    /// The indices of a block's instructions, without second halves of 64-bit immediate loads.
    public func indices(of block: Int) -> [Int] {
        guard blocks.indices.contains(block) else { return [] }
        var indices: [Int] = []
        var index = blocks[block].range.lowerBound
        while index < blocks[block].range.upperBound {
            indices.append(index)
            index += instructions[index].slots
        }
        return indices
    }

    /// Which instructions of the range, counted from its start, begin a block.
    private static func starts(of instructions: [Instruction], in range: Range<Int>) -> [Bool] {
        var isInstruction = [Bool](repeating: false, count: range.count)
        var isStart = isInstruction
        var index = range.lowerBound
        while index < range.upperBound {
            isInstruction[index - range.lowerBound] = true
            index += instructions[index].slots
        }
        if !isStart.isEmpty { isStart[0] = true }
        for index in range where isInstruction[index - range.lowerBound] {
            let instruction = instructions[index]
            let next = index + 1
            if let distance = instruction.jumpDistance {
                let target = next + distance
                if range.contains(target), isInstruction[target - range.lowerBound] {
                    isStart[target - range.lowerBound] = true
                }
            }
            let ends = instruction.jumpDistance != nil || !instruction.fallsThrough
            if ends, range.contains(next) { isStart[next - range.lowerBound] = true }
        }
        return isStart
    }

    private static func blocks(
        _ instructions: [Instruction], _ range: Range<Int>, _ isStart: [Bool]
    ) -> [BasicBlock] {
        let starts = isStart.indices.filter { isStart[$0] }
        let ends = starts.dropFirst() + [range.count]
        var blocks = zip(starts, ends).map { start, end in
            BasicBlock(
                range: range.lowerBound + start..<range.lowerBound + end, successors: [], predecessors: [])
        }
        var numbers = [Int](repeating: -1, count: range.count)
        for (number, start) in starts.enumerated() { numbers[start] = number }
        for number in blocks.indices {
            // The last slot may be the second half of a load: what looks like a jump there is none.
            let last = lastInstruction(of: blocks[number].range, instructions)
            var targets: [Int] = []
            if let distance = instructions[last].jumpDistance { targets.append(last + 1 + distance) }
            if instructions[last].fallsThrough { targets.append(blocks[number].range.upperBound) }
            for target in targets where range.contains(target) {
                let successor = numbers[target - range.lowerBound]
                guard successor >= 0, !blocks[number].successors.contains(successor) else { continue }
                blocks[number].successors.append(successor)
                blocks[successor].predecessors.append(number)
            }
        }
        return blocks
    }

    private static func lastInstruction(of range: Range<Int>, _ instructions: [Instruction]) -> Int {
        // A block of one slot, or one whose last slot does not belong to a load, ends in its last slot. A load
        // can only be cut by the end of the range; walking tells both apart.
        var index = range.lowerBound
        var last = index
        while index < range.upperBound {
            last = index
            index += instructions[index].slots
        }
        return last
    }

    private static func reversePostorder(_ blocks: [BasicBlock]) -> [Int] {
        guard !blocks.isEmpty else { return [] }
        var seen = [Bool](repeating: false, count: blocks.count)
        var postorder: [Int] = []
        // Depth first with a stack of its own: hostile programs nest deeper than the thread's.
        var path = [(block: 0, next: 0)]
        seen[0] = true
        while let (block, next) = path.last {
            guard next < blocks[block].successors.count else {
                postorder.append(block)
                path.removeLast()
                continue
            }
            path[path.count - 1].next += 1
            let successor = blocks[block].successors[next]
            guard !seen[successor] else { continue }
            seen[successor] = true
            path.append((successor, 0))
        }
        return postorder.reversed()
    }
}
