// SPDX-License-Identifier: Apache-2.0

/// What an ``Assembler`` made: final instructions, and where the recorded ones went.
public struct Assembly: Hashable, Sendable {
    /// The final instructions.
    public let instructions: [Instruction]

    /// How many jumps became long or were turned into a jump over a long jump.
    public let relaxedJumps: Int

    /// Final positions by label id; nil if the label was not placed.
    let labelPositions: [Int?]
    /// How many instructions were added before the nth instruction with a label, and at the end.
    let growthBefore: [Int]
    /// The recorded indices of the instructions that grew, ascending, with what was added up to and with them.
    let growths: [Growth]

    /// Added instructions up to a place.
    struct Growth: Hashable, Sendable {
        let recorded: Int
        let total: Int
    }

    /// The final index of a label; nil if it was not placed, or belongs to another assembler.
    public func position(of label: Label) -> Int? {
        labelPositions.indices.contains(label.id) ? labelPositions[label.id] : nil
    }

    /// The final index of a marked place.
    ///
    /// The mark has to come from the assembler of this assembly.
    public func position(of mark: Mark) -> Int {
        guard growthBefore.indices.contains(mark.references) else { return mark.recorded }
        return mark.recorded + growthBefore[mark.references]
    }

    /// The final index of the instruction that was recorded at an index (``Assembler/count`` before it).
    public func position(ofRecorded index: Int) -> Int {
        // Binary search for the last growth before the index.
        var low = 0
        var high = growths.count
        while low < high {
            let middle = (low + high) / 2
            if growths[middle].recorded < index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? index : index + growths[low - 1].total
    }
}
