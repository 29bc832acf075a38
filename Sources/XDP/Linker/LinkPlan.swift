// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Which member is put in how, decided before anything is emitted.
///
/// The main function's frame holds, from the top: the deepest frame of all inlined members, which they use
/// one after the other; a slot for the context; a slot for each page of counters; and 8 bytes of the packet's for
/// each tap.
struct LinkPlan {
    /// For each node of the graph.
    var modes: [Composition.Mode]
    var reasons: [String]
    /// Bytes that the inlined members use.
    private(set) var memberArea = 0
    /// Bytes of the whole frame.
    private(set) var frame = 0
    /// Where the context is kept: below the frame pointer, or in r6 when no member is inlined and nothing
    /// else could touch it.
    private(set) var contextSlot: Int16?
    /// Where the address of each page of counters is kept.
    private(set) var counterSlots: [Int16] = []
    /// The 8 bytes that each tap keeps for a packet, in the order of ``TapSites/callees``.
    private(set) var packetSlots: [Int16] = []
    /// Whether taps at ends (``TapSites/atEnds``) stand there, and not in functions: a call costs as much as what most packets
    /// need of them. They use the members' part of the frame, and the verdict is kept in a slot meanwhile.
    private(set) var inlinesTaps = false
    private(set) var verdictSlot: Int16?

    private let units: [LinkUnit]
    private let limits: LinkLimits
    private let counterPages: Int
    /// Whether something needs the context after the first member began.
    let needsContext: Bool
    /// Below the frame pointer: the key with which a missed segment is counted.
    private(set) var missedSlot: Int16 = -8
    private let leadsOn: Bool
    private let sites: TapSites

    /// - Parameters:
    ///   - endsAll: for each node whether every verdict of it ends the chain, and nobody looks at it before.
    ///   - leadsOn: whether another segment follows.
    ///   - calledMembers: names of members that are called in any case.
    init(
        units: [LinkUnit], endsAll: [Bool], counterPages: Int, leadsOn: Bool = false, limits: LinkLimits,
        calledMembers: Set<String> = [], sites: TapSites = .none
    ) throws(LinkFailure) {
        self.units = units
        self.limits = limits
        self.counterPages = counterPages
        self.leadsOn = leadsOn
        self.sites = sites
        needsContext = units.count > 1 || counterPages > 0 || leadsOn || !sites.isEmpty
        modes = []
        reasons = []
        for (unit, ends) in zip(units, endsAll) {
            // The verdict of a tail callee does not come back to an inlined member, which does not matter
            // where nothing waits for it.
            let isLastWord = ends && counterPages == 0
            if unit.hasTailCalls, !isLastWord {
                modes.append(.call)
                reasons.append("it does tail calls, whose verdict has to come back")
            } else if calledMembers.contains(unit.name) {
                modes.append(.call)
                reasons.append("it was asked for")
            } else {
                modes.append(.inline)
                reasons.append("")
            }
        }
        inlinesTaps = !sites.atEnds.isEmpty
        layOutFrame()
        if inlinesTaps, stackProblem() != nil {
            inlinesTaps = false
            layOutFrame()
        }
        try fitStack()
    }

    private mutating func layOutFrame() {
        let inlined = zip(units, modes).filter { $0.1 == .inline }.map(\.0.depth)
        let taps = inlinesTaps ? sites.atEnds.map { sites.callees[$0].unit.depth } : []
        memberArea = (inlined + taps).max() ?? 0
        var bottom = memberArea
        contextSlot = nil
        if needsContext, !inlined.isEmpty {
            bottom += 8
            contextSlot = Int16(clamping: -bottom)
        }
        counterSlots = (0..<counterPages).map { _ in
            bottom += 8
            return Int16(clamping: -bottom)
        }
        packetSlots = sites.callees.map { _ in
            bottom += 8
            return Int16(clamping: -bottom)
        }
        verdictSlot = nil
        if inlinesTaps {
            bottom += 8
            verdictSlot = Int16(clamping: -bottom)
        }
        if leadsOn {
            // Only taps need the context after a missed tail call; a frame without one to spare grows by the key.
            let spare = sites.seesMissed ? nil : contextSlot
            if spare == nil { bottom += 8 }
            missedSlot = spare ?? Int16(clamping: -bottom)
        }
        frame = bottom
    }

    /// Moves the deepest inlined members into functions of their own until all stacks fit.
    private mutating func fitStack() throws(LinkFailure) {
        while let problem = stackProblem() {
            let candidates = units.indices.filter { modes[$0] == .inline && units[$0].depth > 0 }
            guard let deepest = candidates.map({ units[$0].depth }).max(),
                problem.isRelievedByCalls
            else { throw failure(problem) }
            for index in candidates where units[index].depth == deepest {
                modes[index] = .call
                reasons[index] =
                    "it uses \(deepest) bytes of stack, and beside it "
                    + "\(problem.name) would not fit (\(problem.text))"
            }
            layOutFrame()
        }
    }

    private struct StackProblem {
        /// The member or tap that does not fit.
        var name: String
        /// The member's place; nil for a tap.
        var node: Int?
        var text: String
        var isRelievedByCalls = true

        init(_ unit: LinkUnit, at node: Int?, _ text: String, isRelievedByCalls: Bool = true) {
            name = unit.name
            self.node = node
            self.text = text
            self.isRelievedByCalls = isRelievedByCalls
        }
    }

    private func rounded(_ bytes: Int) -> Int {
        let unit = limits.frameRounding
        return (max(bytes, 1) + unit - 1) / unit * unit
    }

    private func stackProblem() -> StackProblem? {
        let additions = zip(units, modes).filter { $0.1 == .inline }.map { $0.0.stack.additions.first ?? 0 }
        let whole = frame + (additions.max() ?? 0)
        if whole > limits.stack, let node = units.indices.max(by: { units[$0].depth < units[$1].depth }) {
            return StackProblem(
                units[node], at: node, "the chain's own frame would be \(whole) bytes")
        }
        let glue = rounded(whole)
        let inlinedTaps = inlinesTaps ? sites.onlyAtEnds : []
        for (place, callee) in sites.callees.enumerated() where !inlinedTaps.contains(place) {
            let total = glue + callee.unit.depthWithMain(rounding: limits.frameRounding)
            if total > limits.stack {
                return StackProblem(
                    callee.unit, at: nil, "\(total) bytes of stack together, \(limits.stack) allowed")
            }
        }
        for index in units.indices {
            if let problem = stackProblem(of: index, below: glue) { return problem }
        }
        return nil
    }

    /// - Parameter glue: bytes of the chain's own frame.
    private func stackProblem(of index: Int, below glue: Int) -> StackProblem? {
        let unit = units[index]
        let isCalled = modes[index] == .call
        let beforeTailCalls = unit.depthBeforeTailCalls(
            above: isCalled ? glue : 0, main: isCalled ? max(unit.depth, 1) : glue,
            rounding: limits.frameRounding)
        if let before = beforeTailCalls, before >= limits.stackBeforeTailCall {
            return StackProblem(
                unit, at: index,
                "tail calls are allowed below \(limits.stackBeforeTailCall) bytes, and it would be \(before)")
        }
        if isCalled {
            let total = glue + unit.depthWithMain(rounding: limits.frameRounding)
            if total > limits.stack {
                return StackProblem(
                    unit, at: index, "\(total) bytes of stack together, \(limits.stack) allowed")
            }
            let frames = unit.layout.maximumFrames + 1
            if frames > limits.frames {
                return StackProblem(
                    unit, at: index, "\(frames) nested functions, \(limits.frames) allowed",
                    isRelievedByCalls: false)
            }
        } else {
            let below = unit.depthBelowMain(rounding: limits.frameRounding)
            if below > 0, glue + below > limits.stack {
                return StackProblem(
                    unit, at: index, "\(glue + below) bytes of stack together, \(limits.stack) allowed")
            }
        }
        return nil
    }

    /// A member that still has a place on the stack could leave it: the one that does not fit, else the
    /// deepest.
    private func failure(_ problem: StackProblem) -> LinkFailure {
        let others = units.indices.filter { units[$0].separate == nil && units[$0].depth > 0 }
        let deepest = others.max { units[$0].depth < units[$1].depth }
        let node = problem.node.flatMap { units[$0].separate == nil ? $0 : nil } ?? deepest
        return LinkFailure(
            refusal(problem),
            way: node.map { node in
                .isolate(
                    units[node].member,
                    reason: "it needs \(units[node].depth) bytes of stack (\(problem.text))")
            })
    }

    private func refusal(_ problem: StackProblem) -> XDPError {
        let counters = counterPages > 0 ? "; --counters off frees \(8 * counterPages) bytes" : ""
        return XDPError(
            .refused, "\(problem.name) does not fit into the chain", because: problem.text,
            remedy: problem.node == nil
                ? "Leave the largest member away, or load it with --isolate"
                : "Give the program less stack, or put it on an interface of its own\(counters)")
    }
}
