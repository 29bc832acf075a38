// SPDX-License-Identifier: Apache-2.0

// The passes of `assemble`: resolve labels; widen jumps until nothing changes; write the instructions.
// An instruction with a label moves by what grew before it, so prefix sums over those alone give every
// position, and the common case, in which nothing grows, is one pass.
extension Assembler {
    /// The program: instructions with every distance set.
    ///
    /// With `longJumps` (kernel 6.6) jumps may use gotol; without, a jump longer than 32 767 instructions
    /// throws. Throws ``BytecodeError`` also for a label that is not placed, or placed twice, and for a jump
    /// appended ready-made over a conditional jump that had to grow. The error's index is the recorded one.
    public func assemble(longJumps: Bool) throws(BytecodeError) -> Assembly {
        if let misuse { throw misuse }
        let targets = try resolvedTargets()
        var sizes = [Int](repeating: 1, count: references.count)
        let growthBefore = try relax(&sizes, targets, longJumps: longJumps)
        let growths = growths(sizes, growthBefore)
        if !growths.isEmpty { try checkReadyJumps(growths) }
        return try write(targets, sizes, growthBefore, growths, longJumps: longJumps)
    }

    private func resolvedTargets() throws(BytecodeError) -> [Mark] {
        var targets: [Mark] = []
        targets.reserveCapacity(references.count)
        for reference in references {
            guard labels.indices.contains(reference.label.id), let target = labels[reference.label.id] else {
                throw BytecodeError(.unplacedLabel, at: reference.index)
            }
            targets.append(target)
        }
        return targets
    }

    /// Widens what is too short until a fixed point; sizes only grow, so there is one. Returns the growth
    /// before each reference, and the whole at the end.
    private func relax(
        _ sizes: inout [Int], _ targets: [Mark], longJumps: Bool
    ) throws(BytecodeError) -> [Int] {
        var growthBefore = [Int](repeating: 0, count: references.count + 1)
        var changed = true
        while changed {
            changed = false
            for place in references.indices where sizes[place] == 1 {
                let instruction = recorded[references[place].index]
                guard instruction.isConditionalOrMayGoto else { continue }
                let distance = distance(from: place, to: targets[place], growthBefore)
                guard Int16(exactly: distance) == nil else { continue }
                guard longJumps else {
                    throw BytecodeError(.jumpTooLong(distance: distance), at: references[place].index)
                }
                sizes[place] = instruction.widenedSize
                changed = true
            }
            if changed {
                for place in references.indices {
                    growthBefore[place + 1] = growthBefore[place] + sizes[place] - 1
                }
            }
        }
        return growthBefore
    }

    /// The distance from a reference, counted from the instruction after its first one.
    private func distance(from place: Int, to target: Mark, _ growthBefore: [Int]) -> Int {
        let here = references[place].index + growthBefore[place]
        return target.recorded + growthBefore[target.references] - here - 1
    }

    private func growths(_ sizes: [Int], _ growthBefore: [Int]) -> [Assembly.Growth] {
        references.indices.filter { sizes[$0] > 1 }.map {
            Assembly.Growth(recorded: references[$0].index, total: growthBefore[$0 + 1])
        }
    }

    /// Ready-made jumps were appended with distances in recorded instructions: none may span a growth.
    private func checkReadyJumps(_ growths: [Assembly.Growth]) throws(BytecodeError) {
        let positions = Assembly(
            instructions: [], relaxedJumps: 0, labelPositions: [], growthBefore: [], growths: growths)
        var reference = 0
        var index = 0
        while index < recorded.count {
            let instruction = recorded[index]
            if reference < references.count, references[reference].index == index {
                reference += 1
            } else if let distance = instruction.jumpDistance ?? instruction.functionDistance {
                let target = index + 1 + distance
                let moved = positions.position(ofRecorded: target) - positions.position(ofRecorded: index)
                guard moved == target - index else { throw BytecodeError(.jumpOverWidened, at: index) }
            }
            index += instruction.slots
        }
    }

    private func write(
        _ targets: [Mark], _ sizes: [Int], _ growthBefore: [Int], _ growths: [Assembly.Growth],
        longJumps: Bool
    ) throws(BytecodeError) -> Assembly {
        var instructions: [Instruction] = []
        instructions.reserveCapacity(recorded.count + (growthBefore.last ?? 0))
        var relaxed = 0
        var copied = 0
        for place in references.indices {
            let index = references[place].index
            instructions.append(contentsOf: recorded[copied..<index])
            copied = index + 1
            let distance = distance(from: place, to: targets[place], growthBefore)
            let reached = instructions.append(
                recorded[index], distance: distance, size: sizes[place], longJumps: longJumps)
            guard let reached else { throw BytecodeError(.jumpTooLong(distance: distance), at: index) }
            if reached == .relaxed { relaxed += 1 }
        }
        instructions.append(contentsOf: recorded[copied...])
        return Assembly(
            instructions: instructions, relaxedJumps: relaxed,
            labelPositions: labels.map { $0.map { $0.recorded + growthBefore[$0.references] } },
            growthBefore: growthBefore, growths: growths)
    }
}

/// How an instruction reached its label.
private enum Reach {
    case asRecorded, relaxed
}

extension [Instruction] {
    /// Appends an instruction with its distance set, widened to `size` instructions; nil if it cannot reach.
    fileprivate mutating func append(
        _ instruction: Instruction, distance: Int, size: Int, longJumps: Bool
    ) -> Reach? {
        guard size == 1 else { return appendWidened(instruction, distance: distance, size: size) }
        var instruction = instruction
        if instruction.opcode == .longJump || instruction.functionDistance != nil {
            guard let immediate = Int32(exactly: distance) else { return nil }
            instruction.immediate = immediate
            append(instruction)
            return .asRecorded
        }
        if let offset = Int16(exactly: distance) {
            instruction.offset = offset
            append(instruction)
            return .asRecorded
        }
        guard longJumps, instruction.opcode == .jump, let long = Int32(exactly: distance) else { return nil }
        append(.longJump(long))
        return .relaxed
    }

    /// The inverted condition over a gotol; what has no inversion jumps over a goto to the gotol.
    private mutating func appendWidened(_ instruction: Instruction, distance: Int, size: Int) -> Reach? {
        // The gotol is the last of them, and so that much nearer.
        guard let long = Int32(exactly: distance - (size - 1)) else { return nil }
        var first = instruction
        first.offset = 1
        if let inverted = instruction.condition?.inverted {
            first.opcode = Opcode(rawValue: instruction.opcode.rawValue & 0x0f | inverted.rawValue)
            append(first)
        } else {
            append(first)
            append(.jump(1))
        }
        append(.longJump(long))
        return .relaxed
    }
}

extension Instruction {
    fileprivate var isConditionalOrMayGoto: Bool { condition != nil || opcode == .mayGoto }

    /// The number of instructions of its long form.
    fileprivate var widenedSize: Int { condition?.inverted == nil ? 3 : 2 }
}
