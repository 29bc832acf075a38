// SPDX-License-Identifier: Apache-2.0

/// A program of libpcap's machine as basic blocks, each before those that it leads to.
struct ClassicGraph: Hashable, Sendable {
    struct Block: Hashable, Sendable {
        var operations: [ClassicOperation]
        var end: End
    }

    /// How a block ends. Targets are places in ``blocks``.
    enum End: Hashable, Sendable {
        case goto(Int)
        case branch(ClassicCondition, ClassicOperand, ifTrue: Int, ifFalse: Int)
        case constant(UInt32)
        case accumulator

        var targets: [Int] {
            switch self {
            case .goto(let target): [target]
            case .branch(_, _, let ifTrue, let ifFalse): [ifTrue, ifFalse]
            case .constant, .accumulator: []
            }
        }

        func moved(_ target: (Int) -> Int) -> End {
            switch self {
            case .goto(let place): .goto(target(place))
            case .branch(let condition, let operand, let ifTrue, let ifFalse):
                .branch(condition, operand, ifTrue: target(ifTrue), ifFalse: target(ifFalse))
            case .constant, .accumulator: self
            }
        }
    }

    var blocks: [Block]

    /// How often a loop is gone round. libpcap makes one only for `protochain`, once for each header of the chain; a packet
    /// with more of them does not match.
    static let loopLimit = 16

    /// nil if an instruction is none, or leads out of the program; loops are taken apart.
    init?(_ instructions: [ClassicInstruction]) {
        guard let parsed = Self.blocks(of: instructions) else { return nil }
        blocks = parsed
        var rounds = 0
        while let loop = firstLoop() {
            rounds += 1
            // Nested or very many loops are not libpcap's work.
            guard rounds <= 32, blocks.count + loop.count * Self.loopLimit <= 1 << 17 else { return nil }
            unroll(loop)
        }
    }

    private static func blocks(of instructions: [ClassicInstruction]) -> [Block]? {
        var operations: [ClassicOperation] = []
        var isStart = [Bool](repeating: false, count: instructions.count + 1)
        isStart[0] = true
        for (index, instruction) in instructions.enumerated() {
            guard let operation = ClassicOperation(instruction) else { return nil }
            operations.append(operation)
            var targets: [Int] = []
            switch operation {
            case .goto(let distance): targets = [index + 1 + Int(distance)]
            case .branch:
                targets = [index + 1 + Int(instruction.ifTrue), index + 1 + Int(instruction.ifFalse)]
            case .returnConstant, .returnAccumulator: break
            default: continue
            }
            isStart[index + 1] = true
            for target in targets {
                guard instructions.indices.contains(target) else { return nil }
                isStart[target] = true
            }
        }
        var numbers = [Int](repeating: 0, count: instructions.count)
        var count = -1
        for index in instructions.indices {
            if isStart[index] { count += 1 }
            numbers[index] = count
        }
        var blocks: [Block] = []
        var block: [ClassicOperation] = []
        for index in operations.indices {
            var end: End?
            switch operations[index] {
            case .goto(let distance): end = .goto(numbers[index + 1 + Int(distance)])
            case .branch(let condition, let operand):
                end = .branch(
                    condition, operand, ifTrue: numbers[index + 1 + Int(instructions[index].ifTrue)],
                    ifFalse: numbers[index + 1 + Int(instructions[index].ifFalse)])
            case .returnConstant(let value): end = .constant(value)
            case .returnAccumulator: end = .accumulator
            case let operation:
                block.append(operation)
                // The last instruction has to be an end.
                guard index + 1 < instructions.count else { return nil }
                if isStart[index + 1] { end = .goto(numbers[index + 1]) }
            }
            guard let end else { continue }
            blocks.append(Block(operations: block, end: end))
            block = []
        }
        return blocks.isEmpty ? nil : blocks
    }

    // MARK: - Loops

    /// The blocks from the one that is jumped back to, to the last one that does.
    private func firstLoop() -> ClosedRange<Int>? {
        var loop: ClosedRange<Int>?
        for (number, block) in blocks.enumerated() {
            for target in block.end.targets where target <= number {
                guard let known = loop else {
                    loop = target...number
                    continue
                }
                if known.lowerBound == target { loop = target...number }
            }
        }
        return loop
    }

    /// Puts copies of the loop one behind the other; from the last one, it is left for "no".
    private mutating func unroll(_ loop: ClosedRange<Int>) {
        let shift = (Self.loopLimit - 1) * loop.count
        let reject = blocks.count + shift
        func moved(_ target: Int) -> Int { target > loop.upperBound ? target + shift : target }
        var result = blocks[..<loop.lowerBound].map {
            Block(operations: $0.operations, end: $0.end.moved(moved))
        }
        for copy in 0..<Self.loopLimit {
            for number in loop {
                let block = blocks[number]
                let end = block.end.moved { target in
                    guard loop.contains(target) else { return moved(target) }
                    guard target <= number else { return target + copy * loop.count }
                    return copy + 1 < Self.loopLimit ? target + (copy + 1) * loop.count : reject
                }
                result.append(Block(operations: block.operations, end: end))
            }
        }
        result += blocks[(loop.upperBound + 1)...].map {
            Block(operations: $0.operations, end: $0.end.moved(moved))
        }
        result.append(Block(operations: [], end: .constant(0)))
        blocks = result
    }

    // MARK: - Liveness

    /// What each block may read of what those before it left.
    func placesAtEntry() -> [ClassicPlaces] {
        var live = [ClassicPlaces](repeating: [], count: blocks.count)
        for number in blocks.indices.reversed() {
            let block = blocks[number]
            var places = placesAtExit(of: number, live)
            switch block.end {
            case .branch(_, let operand, _, _):
                places.formUnion(operand == .index ? [.accumulator, .index] : .accumulator)
            case .accumulator: places.formUnion(.accumulator)
            case .goto, .constant: break
            }
            for operation in block.operations.reversed() {
                places.subtract(operation.writes)
                places.formUnion(operation.reads)
            }
            live[number] = places
        }
        return live
    }

    func placesAtExit(of number: Int, _ atEntry: [ClassicPlaces]) -> ClassicPlaces {
        blocks[number].end.targets.reduce(into: []) { $0.formUnion(atEntry[$1]) }
    }
}
