// SPDX-License-Identifier: Apache-2.0

extension ClassicGraph {
    /// The program: blocks in an order in which every jump leads forwards, with gotos where a branch cannot reach.
    var instructions: [ClassicInstruction] {
        let order = placement()
        var placeOf = [Int](repeating: -1, count: blocks.count)
        for (place, number) in order.enumerated() { placeOf[number] = place }
        // Branches reach 255 instructions: which of them need a goto for "true" and for "false" depends on where all others
        // are, so sizes grow until they fit.
        var needsTrue = [Bool](repeating: false, count: order.count)
        var needsFalse = needsTrue
        while true {
            var starts: [Int] = []
            var position = 0
            for (place, number) in order.enumerated() {
                starts.append(position)
                position += size(of: number, place, placeOf, needsTrue[place], needsFalse[place])
            }
            var changed = false
            for (place, number) in order.enumerated() {
                guard case .branch(_, _, let ifTrue, let ifFalse) = blocks[number].end else { continue }
                let after = starts[place] + blocks[number].operations.count + 1
                if !needsTrue[place], starts[placeOf[ifTrue]] - after > 255 {
                    needsTrue[place] = true
                    changed = true
                }
                if !needsFalse[place], starts[placeOf[ifFalse]] - after > 255 {
                    needsFalse[place] = true
                    changed = true
                }
            }
            if !changed { return write(order, placeOf, starts, needsTrue, needsFalse) }
        }
    }

    private func size(
        of number: Int, _ place: Int, _ placeOf: [Int], _ needsTrue: Bool, _ needsFalse: Bool
    ) -> Int {
        let operations = blocks[number].operations.count
        switch blocks[number].end {
        case .goto(let target): return operations + (placeOf[target] == place + 1 ? 0 : 1)
        case .branch: return operations + 1 + (needsTrue ? 1 : 0) + (needsFalse ? 1 : 0)
        case .constant, .accumulator: return operations + 1
        }
    }

    private func write(
        _ order: [Int], _ placeOf: [Int], _ starts: [Int], _ needsTrue: [Bool], _ needsFalse: [Bool]
    ) -> [ClassicInstruction] {
        var result: [ClassicInstruction] = []
        func goto(_ target: Int) {
            let distance = starts[placeOf[target]] - result.count - 1
            result.append(ClassicOperation.goto(Int32(distance)).instruction)
        }
        for (place, number) in order.enumerated() {
            result += blocks[number].operations.map(\.instruction)
            switch blocks[number].end {
            case .goto(let target):
                if placeOf[target] != place + 1 { goto(target) }
            case .constant(let value): result.append(ClassicOperation.returnConstant(value).instruction)
            case .accumulator: result.append(ClassicOperation.returnAccumulator.instruction)
            case .branch(let condition, let operand, let ifTrue, let ifFalse):
                var branch = ClassicOperation.branch(condition, operand).instruction
                let after = result.count + 1
                branch.ifTrue = needsTrue[place] ? 0 : UInt8(clamping: starts[placeOf[ifTrue]] - after)
                branch.ifFalse =
                    needsFalse[place]
                    ? (needsTrue[place] ? 1 : 0) : UInt8(clamping: starts[placeOf[ifFalse]] - after)
                result.append(branch)
                if needsTrue[place] { goto(ifTrue) }
                if needsFalse[place] { goto(ifFalse) }
            }
        }
        return result
    }

    /// The blocks that can be reached, each before those that it leads to, and where possible right before the one that it
    /// falls through to.
    private func placement() -> [Int] {
        var waitsFor = [Int](repeating: 0, count: blocks.count)
        var isReached = [Bool](repeating: false, count: blocks.count)
        isReached[0] = true
        for number in blocks.indices where isReached[number] {
            for target in blocks[number].end.targets {
                isReached[target] = true
                waitsFor[target] += 1
            }
        }
        var order: [Int] = []
        var ready = [0]
        while let number = ready.popLast() {
            order.append(number)
            var freed: [Int] = []
            for target in blocks[number].end.targets {
                waitsFor[target] -= 1
                if waitsFor[target] == 0 { freed.append(target) }
            }
            // What ends the program comes last of what could come next: so it stands near the end.
            let ends = freed.filter { blocks[$0].end.targets.isEmpty }
            ready.insert(contentsOf: ends, at: 0)
            ready += freed.filter { !blocks[$0].end.targets.isEmpty }
        }
        return order
    }
}
