// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Takes out instructions that nothing leads to, which the kernel refuses, and jumps to the next instruction.
struct CodeTidy {
    private(set) var instructions: [Instruction]
    /// Where each of the former instructions went: its place, or that of the next one that is left.
    private(set) var places: [Int]

    init(_ code: [Instruction]) {
        instructions = code
        places = Array(0...code.count)
        while takeOut() {}
    }

    /// Whether anything went.
    private mutating func takeOut() -> Bool {
        var kept = reachable()
        for (place, instruction) in instructions.enumerated()
        where kept[place] && instruction.isUnconditionalJump {
            guard let distance = instruction.jumpDistance, distance >= 0 else { continue }
            // Everything between is not reached: the jump leads to the next instruction that is left.
            if !kept[(place + 1)..<(place + 1 + distance)].contains(true) { kept[place] = false }
        }
        guard kept.contains(false) else { return false }
        var moved = [Int](repeating: 0, count: instructions.count + 1)
        var count = 0
        for place in instructions.indices {
            moved[place] = count
            if kept[place] { count += 1 }
        }
        moved[instructions.count] = count
        var left: [Instruction] = []
        left.reserveCapacity(count)
        for (place, instruction) in instructions.enumerated() where kept[place] {
            var instruction = instruction
            if let distance = instruction.jumpDistance {
                let shortened = moved[place + 1 + distance] - moved[place] - 1
                if instruction.opcode == .longJump {
                    instruction.immediate = Int32(truncatingIfNeeded: shortened)
                } else {
                    instruction.offset = Int16(truncatingIfNeeded: shortened)
                }
            }
            left.append(instruction)
        }
        instructions = left
        for index in places.indices { places[index] = moved[places[index]] }
        return true
    }

    private func reachable() -> [Bool] {
        var reached = [Bool](repeating: false, count: instructions.count)
        var pending = [0]
        while let start = pending.popLast() {
            var place = start
            while instructions.indices.contains(place), !reached[place] {
                let instruction = instructions[place]
                reached[place] = true
                if instruction.isWide, place + 1 < reached.count {
                    place += 1
                    reached[place] = true
                }
                if let distance = instruction.jumpDistance { pending.append(place + 1 + distance) }
                guard instruction.fallsThrough else { break }
                place += 1
            }
        }
        return reached
    }
}
