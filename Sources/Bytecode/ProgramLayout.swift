// SPDX-License-Identifier: Apache-2.0

/// A program's functions: the main one and the subprograms behind it, and who calls whom.
///
/// Follows the kernel's add_subprogs and check_subprogs (kernel/bpf/verifier.c): a subprogram starts where a
/// call or a function load leads, and ends where the next one starts. What exists of a layout is valid: no
/// jump leaves its function, nothing leads into the middle of a 64-bit immediate load, no function falls
/// through into the next, and no function calls itself.
public struct ProgramLayout: Hashable, Sendable {
    /// The number of functions that the kernel takes in one program (BPF_MAX_SUBPROGS).
    public static let maximumSubprograms = 256

    /// The functions as ranges of instruction indices, in order; the first is the main one.
    public let subprograms: [Range<Int>]

    /// The references between functions in the order of their instructions, each function's to its callees.
    public let calls: [CallEdge]

    /// Whether a function passes its own address to a helper, directly or through others.
    ///
    /// That is no recursion: a timer's callback may arm the timer again. The frames of such callbacks are not
    /// on top of each other.
    public let rearmsCallbacks: Bool

    /// The order in which every function comes before those whose frames are on top of its own.
    let order: [Int]
    /// For each function those whose frames can be on top of its own.
    let callees: [[Int]]

    /// Splits a program into its functions.
    ///
    /// Throws ``BytecodeError`` with the index of the first instruction that cannot be in a valid program.
    /// A kernel function call may end a function, because bpf_throw does not return and cannot be told apart.
    public init(_ instructions: [Instruction]) throws(BytecodeError) {
        guard !instructions.isEmpty else { throw BytecodeError(.empty) }
        let scan = try ProgramScan(instructions)
        let subprograms = scan.subprograms
        guard subprograms.count <= Self.maximumSubprograms else {
            throw BytecodeError(.tooManySubprograms(count: subprograms.count))
        }
        try scan.checkJumps(instructions)
        try scan.checkEnds(instructions)

        let graph = try CallGraph(scan.calls, functions: subprograms.count)
        self.subprograms = subprograms
        calls = scan.calls
        rearmsCallbacks = graph.rearmsCallbacks
        order = graph.order
        callees = graph.callees
    }

    /// The main function's range.
    public var main: Range<Int> { subprograms.first ?? 0..<0 }

    /// The number of instructions of the program.
    public var instructionCount: Int { subprograms.last?.upperBound ?? 0 }

    /// The number of the function that an instruction belongs to; nil outside of the program.
    public func subprogram(containing index: Int) -> Int? {
        guard (0..<instructionCount).contains(index) else { return nil }
        return subprograms.lastStart(notAfter: index)
    }

    /// The number of the function that starts at an instruction, or nil.
    public func subprogram(startingAt index: Int) -> Int? {
        guard let number = subprogram(containing: index), subprograms[number].lowerBound == index else {
            return nil
        }
        return number
    }

    /// The references of one function to others.
    public func calls(from subprogram: Int) -> [CallEdge] {
        calls.filter { $0.caller == subprogram }
    }

    /// The frames that can be on the stack at once when the main function is the first; the kernel takes 8.
    public var maximumFrames: Int { maximumFrames(from: 0) }

    /// The frames that can be on the stack at once when this function is the first; 0 if there is none such.
    public func maximumFrames(from subprogram: Int) -> Int {
        heaviestChain(from: subprogram) { _ in 1 }
    }

    /// The greatest sum of weights along a chain of frames from a function.
    func heaviestChain(from subprogram: Int, weight: (Int) -> Int) -> Int {
        guard subprograms.indices.contains(subprogram) else { return 0 }
        var heaviest = [Int](repeating: 0, count: subprograms.count)
        for number in order.reversed() {
            heaviest[number] = weight(number) + (callees[number].map { heaviest[$0] }.max() ?? 0)
        }
        return heaviest[subprogram]
    }
}

extension [Range<Int>] {
    /// The place of the last range that starts at or before an index; nil if all start after it.
    func lastStart(notAfter index: Int) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].lowerBound <= index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }
}
