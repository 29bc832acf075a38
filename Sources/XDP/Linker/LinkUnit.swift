// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What the linker finds out about a unit before it decides anything.
struct LinkUnit {
    /// The member's place in the chain; nil for a tap.
    let place: Int?
    let name: String
    let unit: Unit
    let mapIDs: [UInt32]
    let layout: ProgramLayout
    let stack: StackUse
    /// Bytes of the main function's frame, a multiple of 8.
    let depth: Int
    /// Registers other than r1 and r10 that the main function might read before it writes them; only
    /// hand-written assembly has such, in code that never runs.
    let liveRegisters: [Register]
    let hasTailCalls: Bool
    /// The ids of the maps that its instructions refer to.
    let usedMaps: Set<UInt32>
    /// The member's own program, if this only calls it.
    let separate: SeparateProgram?
    let isAdopted: Bool
    /// Whether the member itself does tail calls, in whatever program.
    let spendsTailCalls: Bool

    /// - Parameter stub: what stands in the chain for a member that has a program of its own.
    init(_ member: Member, at place: Int, stub: CallStub?) throws(XDPError) {
        try self.init(member, place: place, stub: stub)
    }

    /// The code of a tap, which is one function.
    init(_ tap: Tap) throws(XDPError) {
        let code = Member(name: tap.name, origin: "", digest: [], unit: tap.unit, mapIDs: tap.mapIDs)
        try self.init(code, place: nil, stub: nil)
        guard layout.subprograms.count == 1 else {
            throw XDPError(
                .failed, "\(tap.name) cannot be linked", because: "its code is more than one function")
        }
    }

    private init(_ member: Member, place: Int?, stub: CallStub?) throws(XDPError) {
        self.place = place
        name = member.name
        separate = stub == nil ? nil : member.separate
        isAdopted = member.adopted != nil
        spendsTailCalls = isAdopted || member.unit.instructions.contains(where: \.isTailCall)
        let unit = stub?.unit(for: member) ?? member.unit
        let mapIDs = stub?.mapIDs ?? member.mapIDs
        self.unit = unit
        self.mapIDs = mapIDs
        do throws(BytecodeError) {
            layout = try ProgramLayout(unit.instructions)
        } catch {
            throw XDPError(
                .failed, "\(member.name) cannot be linked", because: "its bytecode is damaged: \(error)",
                remedy: "Rebuild or replace the object")
        }
        let graph = ControlFlowGraph(unit.instructions, in: layout.main)
        stack = StackUse(main: graph, unit.instructions, layout: layout)
        depth = stack.main
        let live = Liveness(graph).atEntry
        liveRegisters = (0...9).map { Register(rawValue: $0) }.filter { $0 != .r1 && live.contains($0) }
        hasTailCalls = unit.instructions.contains(where: \.isTailCall)
        usedMaps = Set(
            unit.instructions.compactMap { instruction in
                let kind = instruction.wideKind
                guard kind == .mapIndex || kind == .mapIndexValue else { return nil }
                let place = Int(instruction.immediate)
                return mapIDs.indices.contains(place) ? mapIDs[place] : nil
            })
    }

    /// The member's place in the chain.
    var member: Int { place ?? -1 }

    /// Bytes of the deepest call chain that starts with the main function's subprograms.
    func depthBelowMain(rounding: Int) -> Int {
        layout.calls(from: 0).map { stack.combinedDepth(from: $0.callee, rounding: rounding) }.max() ?? 0
    }

    /// Bytes of the deepest call chain, the main function included.
    func depthWithMain(rounding: Int) -> Int {
        stack.combinedDepth(from: 0, rounding: rounding)
    }

    /// Bytes of the frames above a function with tail calls, at most; nil if only the main function has some.
    ///
    /// - Parameters:
    ///   - above: bytes above the main function.
    ///   - main: bytes of the main function's frame, rounded.
    func depthBeforeTailCalls(above: Int, main: Int, rounding: Int) -> Int? {
        var before = [Int](repeating: -1, count: layout.subprograms.count)
        before[0] = above
        // Callbacks cannot do tail calls, and without them the functions form no circle.
        let calls = layout.calls.filter { $0.kind == .call }
        for _ in layout.subprograms.indices {
            for call in calls where before[call.caller] >= 0 {
                let own = call.caller == 0 ? main : max(stack.depths[call.caller], 1)
                let total = before[call.caller] + (own + rounding - 1) / rounding * rounding
                before[call.callee] = max(before[call.callee], total)
            }
        }
        let first = above > 0 ? 0 : 1
        return layout.subprograms.indices.filter { function in
            function >= first && before[function] >= 0
                && unit.instructions[layout.subprograms[function]].contains(where: \.isTailCall)
        }.map { before[$0] }.max()
    }
}
