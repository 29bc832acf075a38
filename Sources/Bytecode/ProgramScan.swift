// SPDX-License-Identifier: Apache-2.0

/// The first look at a program: where instructions and functions start, and the checks of `ProgramLayout`.
struct ProgramScan {
    /// The functions, in order.
    let subprograms: [Range<Int>]
    /// The references between them.
    let calls: [CallEdge]
    /// The indices that are second halves of 64-bit immediate loads.
    private let isSecondHalf: [Bool]

    init(_ instructions: [Instruction]) throws(BytecodeError) {
        let isSecondHalf = try Self.secondHalves(instructions)
        var starts: Set<Int> = [0]
        var references: [(index: Int, target: Int)] = []
        for (index, instruction) in instructions.enumerated() where !isSecondHalf[index] {
            guard let distance = instruction.functionDistance else { continue }
            let target = index + 1 + distance
            try Self.check(target, of: index, in: 0..<instructions.count, isSecondHalf)
            starts.insert(target)
            references.append((index, target))
        }
        let ordered = starts.sorted() + [instructions.count]
        let subprograms = zip(ordered, ordered.dropFirst()).map { $0..<$1 }
        self.isSecondHalf = isSecondHalf
        self.subprograms = subprograms
        calls = references.compactMap { index, target in
            guard let caller = subprograms.lastStart(notAfter: index),
                let callee = subprograms.lastStart(notAfter: target)
            else { return nil }
            let kind: CallEdge.Kind = instructions[index].isFunctionLoad ? .callback : .call
            return CallEdge(kind: kind, index: index, caller: caller, callee: callee)
        }
    }

    private static func secondHalves(_ instructions: [Instruction]) throws(BytecodeError) -> [Bool] {
        var isSecondHalf = [Bool](repeating: false, count: instructions.count)
        for (index, instruction) in instructions.enumerated() where !isSecondHalf[index] {
            guard instruction.hasKnownControlFlow else {
                throw BytecodeError(.unknownOpcode(instruction.opcode), at: index)
            }
            guard instruction.isWide else { continue }
            guard index + 1 < instructions.count, instructions[index + 1].isSecondHalf else {
                throw BytecodeError(.cutWideInstruction, at: index)
            }
            isSecondHalf[index + 1] = true
        }
        return isSecondHalf
    }

    private static func check(
        _ target: Int, of index: Int, in bounds: Range<Int>, _ isSecondHalf: [Bool]
    ) throws(BytecodeError) {
        guard bounds.contains(target) else {
            throw BytecodeError(.targetOutside(target: target), at: index)
        }
        guard !isSecondHalf[target] else {
            throw BytecodeError(.targetInsideWideInstruction(target: target), at: index)
        }
    }

    /// Jumps stay in their function.
    func checkJumps(_ instructions: [Instruction]) throws(BytecodeError) {
        for range in subprograms {
            for index in range where !isSecondHalf[index] {
                let instruction = instructions[index]
                guard instruction.opcode != .indirectJump else {
                    throw BytecodeError(.indirectJump, at: index)
                }
                guard let distance = instruction.jumpDistance else { continue }
                try Self.check(index + 1 + distance, of: index, in: range, isSecondHalf)
            }
        }
    }

    /// Functions do not fall through into the next.
    func checkEnds(_ instructions: [Instruction]) throws(BytecodeError) {
        for range in subprograms {
            let last = range.upperBound - 1
            let instruction = instructions[last]
            guard !isSecondHalf[last], !instruction.fallsThrough || instruction.isKernelFunctionCall else {
                throw BytecodeError(.missingExit, at: last)
            }
        }
    }
}

extension Instruction {
    /// Whether it can be the second half of a 64-bit immediate load: nothing but an immediate.
    fileprivate var isSecondHalf: Bool {
        opcode.rawValue == 0 && destination == .r0 && source == .r0 && offset == 0
    }
}
