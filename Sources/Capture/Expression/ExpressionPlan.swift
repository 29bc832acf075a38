// SPDX-License-Identifier: Apache-2.0

/// What is worked out of a program before code is written for it. All jumps lead forwards, so one pass suffices for each
/// question.
struct ExpressionPlan: Sendable {
    /// Where a branch leads, behind all gotos.
    enum Target: Hashable, Sendable {
        case instruction(Int)
        case accept
        case reject
    }

    let operations: [ClassicOperation]
    /// By instruction; both the same for what is no branch.
    let ifTrue: [Target]
    let ifFalse: [Target]
    /// What each instruction and those behind it may read.
    private(set) var liveAt: [ClassicPlaces] = []
    /// Loads whose number stays in the packet's byte order, and branches that compare it: the size of the load. Where a number
    /// is only compared with constants for equality and for bits, the constants are turned round instead.
    private(set) var rawSize: [ClassicSize?] = []
    /// Words of memory that are used.
    private(set) var memory: [Int] = []
    /// Loads at constant offsets that can be reached.
    private(set) var loads: [Load] = []
    /// Bytes that the instructions before the first branch need.
    private(set) var neededAtEntry: UInt64 = 0
    /// How many instructions lead to each.
    private(set) var entries: [Int] = []
    private(set) var hasIndexedLoads = false
    private(set) var hasLength = false

    struct Load: Hashable, Sendable {
        var size: ClassicSize
        var offset: UInt32
        var end: UInt64 { UInt64(offset) + UInt64(size.bytes) }
    }

    /// Of instructions that ``ClassicProgram/check()`` found right.
    init(_ instructions: [ClassicInstruction]) {
        let operations = instructions.map { ClassicOperation($0) ?? .returnConstant(0) }
        self.operations = operations
        var yes = [Target](repeating: .reject, count: operations.count)
        var no = yes
        // Backwards, so that what a goto leads to is known.
        func target(_ index: Int) -> Target {
            guard operations.indices.contains(index) else { return .reject }
            switch operations[index] {
            case .goto: return yes[index]
            case .returnConstant(let number): return number == 0 ? .reject : .accept
            default: return .instruction(index)
            }
        }
        for index in operations.indices.reversed() {
            switch operations[index] {
            case .branch:
                yes[index] = target(index + 1 + Int(instructions[index].ifTrue))
                no[index] = target(index + 1 + Int(instructions[index].ifFalse))
            case .goto(let distance):
                yes[index] = target(index + 1 + Int(distance))
                no[index] = yes[index]
            case .returnConstant, .returnAccumulator: break
            default:
                yes[index] = target(index + 1)
                no[index] = yes[index]
            }
        }
        ifTrue = yes
        ifFalse = no
        findLiveness()
        findRawNumbers()
        findUses()
    }

    static func load(_ operation: ClassicOperation) -> Load? {
        switch operation {
        case .packet(let size, let offset, isIndexed: false): Load(size: size, offset: offset)
        case .headerLength(let offset): Load(size: .byte, offset: offset)
        default: nil
        }
    }

    func successors(_ index: Int) -> [Int] {
        switch operations[index] {
        case .returnConstant, .returnAccumulator: return []
        default: break
        }
        var result: [Int] = []
        for case .instruction(let next) in [ifTrue[index], ifFalse[index]] where !result.contains(next) {
            result.append(next)
        }
        return result
    }

    /// The constants that A is compared with one behind the other, each leading to the same place, beginning here; and the last of these
    /// branches.
    func equalities(from first: Int) -> (constants: [UInt32], last: Int) {
        var constants: [UInt32] = []
        var last = first
        var next = Target.instruction(first)
        while case .instruction(let index) = next,
            case .branch(.equal, .constant(let number)) = operations[index],
            ifTrue[index] == ifTrue[first], index == first || entries[index] == 1
        {
            constants.append(number)
            last = index
            next = ifFalse[index]
        }
        return (constants, last)
    }

    /// Where a packet goes, once its length is in A, that is at least so long; nil if so little is not enough to know it, or the length
    /// is used there.
    func shortcut(from index: Int) -> (length: UInt32, target: Target)? {
        var result: (UInt32, Target)?
        var (needed, next) = (UInt32(0), ifTrue[index])
        while case .instruction(let place) = next, liveAt[place].contains(.accumulator),
            case .branch(let condition, .constant(let number)) = operations[place],
            // No first buffer is longer.
            number < 0xffff
        {
            switch condition {
            case .greater: (needed, next) = (max(needed, number + 1), ifTrue[place])
            case .greaterOrEqual: (needed, next) = (max(needed, number), ifTrue[place])
            case .equal: (needed, next) = (max(needed, number + 1), ifFalse[place])
            case .anyBitSet: return result
            }
            if case .instruction(let target) = next, liveAt[target].contains(.accumulator) { continue }
            result = (needed, next)
        }
        return result
    }

    func liveAfter(_ index: Int) -> ClassicPlaces {
        successors(index).reduce(into: []) { $0.formUnion(liveAt[$1]) }
    }

    private mutating func findLiveness() {
        liveAt = [ClassicPlaces](repeating: [], count: operations.count)
        for index in operations.indices.reversed() {
            liveAt[index] = liveAfter(index).subtracting(operations[index].writes)
                .union(operations[index].reads)
        }
    }

    // MARK: - Byte order

    /// All that may have put a number into A where it is read goes together; such a class is kept in the packet's order if all
    /// of it are loads of one size, and nobody reads it but tests for equality and for bits.
    private mutating func findRawNumbers() {
        var parent = Array(0...operations.count)
        var sizes: [ClassicSize?] = operations.map { operation in
            guard case .packet(let size, _, _) = operation, size != .byte else { return nil }
            return size
        }
        // Behind all others stands A as it is at the beginning.
        sizes.append(nil)
        func root(_ element: Int) -> Int {
            var element = element
            while parent[element] != element {
                parent[element] = parent[parent[element]]
                element = parent[element]
            }
            return element
        }
        var reaching = [Int?](repeating: nil, count: operations.count)
        if !reaching.isEmpty { reaching[0] = operations.count }
        for index in operations.indices {
            guard let source = reaching[index] else { continue }
            let operation = operations[index]
            if operation.reads.contains(.accumulator), !Self.keepsOrder(operation) {
                sizes[root(source)] = nil
            }
            let result = operation.writes.contains(.accumulator) ? index : source
            for next in successors(index) {
                guard let other = reaching[next] else {
                    reaching[next] = result
                    continue
                }
                guard liveAt[next].contains(.accumulator) else { continue }
                let (a, b) = (root(other), root(result))
                guard a != b else { continue }
                parent[b] = a
                if sizes[a] != sizes[b] { sizes[a] = nil }
            }
        }
        rawSize = operations.indices.map { index in
            guard let source = reaching[index] else { return nil }
            switch operations[index] {
            case .packet: return sizes[root(index)]
            case .branch: return sizes[root(source)]
            default: return nil
            }
        }
    }

    private static func keepsOrder(_ operation: ClassicOperation) -> Bool {
        switch operation {
        case .branch(.equal, .constant), .branch(.anyBitSet, .constant): true
        default: false
        }
    }

    // MARK: - Uses

    private mutating func findUses() {
        var isReached = [Bool](repeating: false, count: operations.count)
        if !isReached.isEmpty { isReached[0] = true }
        entries = [Int](repeating: 0, count: operations.count)
        var words: Set<Int> = []
        var seen: Set<Load> = []
        var isEntry = true
        for index in operations.indices where isReached[index] {
            for next in successors(index) {
                isReached[next] = true
                entries[next] += 1
            }
            switch operations[index] {
            case .load(_, let place), .store(_, let place): words.insert(place)
            case .packet(_, _, isIndexed: true): hasIndexedLoads = true
            case .length: hasLength = true
            case .branch, .goto: isEntry = false
            default: break
            }
            guard let load = Self.load(operations[index]) else { continue }
            if seen.insert(load).inserted { loads.append(load) }
            if isEntry { neededAtEntry = max(neededAtEntry, load.end) }
        }
        memory = words.sorted()
    }
}
