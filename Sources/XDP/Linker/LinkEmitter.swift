// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Writes the linked program down: prologue, members with their epilogues, subprograms.
struct LinkEmitter {
    let graph: LinkGraph
    /// The array of segments; 0 where the chain is one program.
    let segmentArray: UInt32
    let units: [LinkUnit]
    let plan: LinkPlan
    let chain: Chain
    let counting: Linker.Counting
    /// The pages of counters in use, in the order of `plan.counterSlots`.
    let pages: [Int]

    private var assembler = Assembler()
    private var mapIDs: [UInt32] = []
    private var mapPlaces: [UInt32: Int32] = [:]
    private var modules: [PreparedProgram.KernelModule] = []
    private var nodeLabels: [Label] = []
    private var segmentLabels: [Int: Label] = [:]
    /// Recorded positions of everything that is translated after assembly.
    private var functions: [(recorded: Int, name: String)] = []
    private var lines: [(recorded: Int, line: DebugInformation.Line)] = []
    private var segments: [(recorded: Range<Int>, member: Int, unitStart: Int?)] = []

    /// The file name that glue goes by in source lines.
    private static let glueFile = "xdpctl"

    init(
        graph: LinkGraph, segmentArray: UInt32, units: [LinkUnit], plan: LinkPlan, chain: Chain, counting: Linker.Counting,
        pages: [Int]
    ) {
        self.graph = graph
        self.segmentArray = segmentArray
        self.units = units
        self.plan = plan
        self.chain = chain
        self.counting = counting
        self.pages = pages
    }

    /// Whether something has to happen between a node's verdict and the end of the chain.
    private func needsEpilogue(_ node: Int) -> Bool {
        !graph.nodes[node].targets.isEmpty || !pages.isEmpty
    }

    mutating func emit(_ limits: LinkLimits) throws(XDPError) -> LinkedProgram {
        nodeLabels = graph.nodes.map { _ in assembler.label() }
        for place in graph.usedSegments { segmentLabels[place] = assembler.label() }
        var subprogramLabels: [[Label]] = units.map { _ in [] }
        for (index, unit) in units.enumerated() {
            subprogramLabels[index] = unit.layout.subprograms.map { _ in assembler.label() }
        }
        functions.append((0, "xdpctl_chain"))
        emitPrologue()
        for node in graph.nodes.indices { try emitNode(node, subprogramLabels[node]) }
        emitSegmentCalls()
        for node in graph.nodes.indices { try emitSubprograms(node, subprogramLabels[node]) }
        let assembly: Assembly
        do throws(BytecodeError) {
            assembly = try assembler.assemble(longJumps: limits.hasLongJumps)
        } catch {
            let owner = segments.first { $0.recorded.contains(error.index ?? 0) }?.member
            let name = owner.map { chain.members[$0].name } ?? "a member"
            throw XDPError(
                .refused, "The chain is too large for one program",
                because: "a jump of \(name) is too long for this kernel (\(error))",
                remedy: "Linux 6.6 brings longer jumps; or put the largest member last")
        }
        return finish(assembly)
    }

    // MARK: Glue

    private mutating func note(_ text: String) {
        lines.append((assembler.count, .init(instruction: 0, file: Self.glueFile, text: text, position: 0)))
    }

    private mutating func emitPrologue() {
        note("chain: keep the context")
        if let slot = plan.contextSlot {
            assembler.append(.store(.doubleWord, .r1, to: .framePointer, offset: slot))
        } else if plan.needsContext {
            assembler.append(.move(.r6, .r1))
        }
        for (page, slot) in zip(pages, plan.counterSlots) {
            // The slot serves as the key, zero, before it takes the address.
            let found = assembler.label()
            assembler.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: slot))
            assembler.append(.move(.r2, .framePointer))
            assembler.append(.add(.r2, Int32(slot)))
            assembler.append(Instruction.loadMap(.r1, index: place(ofMap: counting.pageIDs[page])))
            assembler.append(.call(helper: 1))
            assembler.jump(.notEqual, .r0, 0, to: found)
            assembler.append(.move32(.r0, Int32(Verdict.aborted.rawValue)))
            assembler.append(.exit)
            assembler.place(found)
            assembler.append(.store(.doubleWord, .r0, to: .framePointer, offset: slot))
        }
    }

    /// r1 = ctx
    private mutating func loadContext(_ register: Register) {
        if let slot = plan.contextSlot {
            assembler.append(.load(.doubleWord, register, from: .framePointer, offset: slot))
        } else if plan.needsContext {
            assembler.append(.move(register, .r6))
        }
    }

    private mutating func emitNode(_ node: Int, _ subprograms: [Label]) throws(XDPError) {
        let unit = units[node]
        let start = assembler.count
        assembler.place(nodeLabels[node])
        let isUntouched = node == 0 && pages.isEmpty
        if plan.modes[node] == .call {
            note("chain: call \(unit.name)")
            if !isUntouched {
                loadContext(.r1)
                // The verifier takes r1 to r5 for read by the call; what earlier members left in them would
                // multiply its work.
                for register in [Register.r2, .r3, .r4, .r5] { assembler.append(.move(register, 0)) }
            }
            assembler.call(to: subprograms[0])
            segments.append((start..<assembler.count, unit.member, nil))
        } else {
            if !isUntouched {
                note("chain: enter \(unit.name)")
                loadContext(.r1)
                scrub(before: node)
            }
            segments.append((start..<assembler.count, unit.member, nil))
            try emitBody(node, 0, subprograms, epilogue: needsEpilogue(node))
        }
        emitEpilogue(node)
    }

    /// Zeroes what the member could see of earlier ones: its part of the stack, as deep as an earlier one
    /// may have written it, and registers that it might read. It keeps the verifier's work a sum instead of
    /// a product, and one member's data out of another's.
    private mutating func scrub(before node: Int) {
        guard node > 0 else { return }
        let written = (0..<node).filter { plan.modes[$0] == .inline }.map { units[$0].depth }.max() ?? 0
        let depth = min(units[node].depth, written)
        for offset in stride(from: 8, through: depth, by: 8) {
            assembler.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: Int16(-offset)))
        }
        for register in units[node].liveRegisters { assembler.append(.move(register, 0)) }
    }

    private mutating func emitEpilogue(_ node: Int) {
        let start = assembler.count
        defer {
            if assembler.count > start { segments.append((start..<assembler.count, units[node].member, nil)) }
        }
        let isCall = plan.modes[node] == .call
        guard isCall || needsEpilogue(node) else { return }
        note("chain: verdict of \(units[node].name)")
        if isCall, units[node].hasTailCalls, needsEpilogue(node) { forgetVerdict() }
        count(node)
        for (verdict, target) in graph.nodes[node].targets.sorted(by: { $0.key < $1.key }) {
            guard let label = label(of: target) else { continue }
            assembler.jump32(.equal, .r0, Int32(verdict.rawValue), to: label)
        }
        assembler.append(.exit)
    }

    /// Hides from the verifier what it believes to know of r0, without changing it.
    ///
    /// Many kernels (5.10, 6.1 and 6.12 do) take for a function's verdict what it returns when its tail call
    /// fails: `return XDP_DROP` behind the call makes the way for every other verdict dead code, which is then
    /// taken out. Exclusive or, twice, with a number that is known only when a packet comes leaves the verdict
    /// and no opinion.
    private mutating func forgetVerdict() {
        loadContext(.r1)
        assembler.append(.load(.word, .r1, from: .r1, offset: 16))  // rx_queue_index
        assembler.append(.xor(.r0, .r1))
        assembler.append(.xor(.r0, .r1))
    }

    private func label(of target: LinkGraph.Target) -> Label? {
        switch target {
        case .node(let place): nodeLabels[place]
        case .segment(let place): segmentLabels[place]
        }
    }

    /// The ways into other segments: a tail call, which leaves nothing behind unless it is not possible.
    private mutating func emitSegmentCalls() {
        for place in graph.usedSegments {
            guard let label = segmentLabels[place] else { continue }
            let start = assembler.count
            let entry = chain.members[graph.entries[place]]
            assembler.place(label)
            note("chain: on to \(entry.name)")
            loadContext(.r1)
            assembler.append(Instruction.loadMap(.r2, index: self.place(ofMap: segmentArray)))
            assembler.append(.move(.r3, Int32(place)))
            assembler.append(.call(helper: CallStub.tailCall))
            if let page = counting.page(ofSlot: entry.counterSlot) {
                let map = Instruction.loadMap(.r1, index: self.place(ofMap: page))
                assembler.append(
                    CallStub.countMissed(slot: entry.counterSlot, map: map, key: plan.missedSlot))
            }
            assembler.append(.move(.r0, Int32(chain.fallback.rawValue)))
            assembler.append(.exit)
            segments.append((start..<assembler.count, graph.entries[place], nil))
        }
    }

    private mutating func count(_ node: Int) {
        let slot = chain.members[units[node].member].counterSlot
        guard counting.mode != .off, slot >= 0,
            let page = pages.firstIndex(of: slot / CounterPage.members)
        else { return }
        let countsBytes = counting.mode == .bytes
        let supportsFrags = units.allSatisfy(\.unit.supportsFrags)
        if countsBytes, supportsFrags {
            // data_end - data is only the first buffer of such packets.
            assembler.append(.move(.r7, .r0))
            loadContext(.r1)
            assembler.append(.call(helper: 188))  // bpf_xdp_get_buff_len, Linux 5.18
            assembler.append(.move(.r5, .r0))
            assembler.append(.move(.r0, .r7))
        } else if countsBytes {
            loadContext(.r4)
            assembler.append(.load(.word, .r5, from: .r4, offset: 4))
            assembler.append(.load(.word, .r4, from: .r4, offset: 0))
            assembler.append(.subtract(.r5, .r4))
        }
        let offset = Int16(slot % CounterPage.members * CounterPage.memberSize)
        let isVerdict = assembler.label()
        assembler.append(
            .load(.doubleWord, .r1, from: .framePointer, offset: plan.counterSlots[page]))
        assembler.append(.move32(.r2, .r0))
        assembler.jump32(.lessOrEqual, .r2, Int32(Verdict.redirect.rawValue), to: isVerdict)
        assembler.append(.move32(.r2, Int32(Verdict.allCases.count)))
        assembler.place(isVerdict)
        assembler.append(.shiftLeft(.r2, 4))
        assembler.append(.add(.r1, .r2))
        assembler.append(.load(.doubleWord, .r3, from: .r1, offset: offset))
        assembler.append(.add(.r3, 1))
        assembler.append(.store(.doubleWord, .r3, to: .r1, offset: offset))
        guard countsBytes else { return }
        assembler.append(.load(.doubleWord, .r3, from: .r1, offset: offset + 8))
        assembler.append(.add(.r3, .r5))
        assembler.append(.store(.doubleWord, .r3, to: .r1, offset: offset + 8))
    }

    // MARK: Members

    private mutating func emitSubprograms(_ node: Int, _ labels: [Label]) throws(XDPError) {
        let unit = units[node]
        let first = plan.modes[node] == .call ? 0 : 1
        for index in first..<unit.layout.subprograms.count {
            let start = unit.layout.subprograms[index].lowerBound
            let name = unit.unit.functions.first { $0.instruction == start }?.name
            functions.append(
                (assembler.count, name ?? (index == 0 ? unit.unit.program : "\(unit.unit.program)_\(start)")))
            assembler.place(labels[index])
            if unit.unit.lines.first(where: { $0.instruction == start }) == nil {
                note("\(unit.name): function at instruction \(start)")
            }
            try emitBody(node, index, labels, epilogue: false)
        }
    }

    /// Copies one function of a unit.
    ///
    /// - Parameter epilogue: the code that follows takes the verdict: every exit becomes a jump there, and
    ///   the one at the end is left out.
    private mutating func emitBody(
        _ node: Int, _ index: Int, _ labels: [Label], epilogue: Bool
    ) throws(XDPError) {
        let unit = units[node]
        let range = unit.layout.subprograms[index]
        let start = assembler.count
        let end = epilogue ? assembler.label() : nil
        let instructions = unit.unit.instructions
        var place = range.lowerBound
        while place < range.upperBound {
            let instruction = instructions[place]
            if let end, instruction.isExit {
                if place + 1 < range.upperBound { assembler.jump(to: end) }
            } else if instruction.functionDistance != nil {
                let target = place + 1 + Int(instruction.immediate)
                guard let callee = unit.layout.subprogram(startingAt: target) else {
                    throw damaged(unit, at: place)
                }
                assembler.append(instruction, to: labels[callee])
            } else {
                assembler.append(try renumbered(instruction, of: unit, at: place))
            }
            if instruction.isWide, place + 1 < range.upperBound {
                place += 1
                assembler.append(
                    try renumberedSecondHalf(instructions[place], of: instruction, unit, at: place))
            }
            place += 1
        }
        let omitsExit = epilogue && instructions[range.upperBound - 1].isExit
        let length = assembler.count - start
        for line in unit.unit.lines where range.contains(line.instruction) {
            let offset = line.instruction - range.lowerBound
            if omitsExit, offset >= length { continue }
            lines.append((start + offset, line))
        }
        if length > 0 { segments.append((start..<assembler.count, unit.member, range.lowerBound)) }
        if let end { assembler.place(end) }
    }

    private func damaged(_ unit: LinkUnit, at place: Int) -> XDPError {
        XDPError(
            .failed, "\(unit.name) cannot be linked",
            because: "instruction \(place) refers to something that the unit does not have",
            remedy: "Rebuild or replace the object")
    }

    private mutating func place(ofMap id: UInt32) -> Int32 {
        if let known = mapPlaces[id] { return known }
        let place = Int32(mapIDs.count)
        mapIDs.append(id)
        mapPlaces[id] = place
        return place
    }

    private mutating func place(ofModule place: Int, of unit: LinkUnit, at index: Int) throws(XDPError) -> Int
    {
        guard unit.unit.modules.indices.contains(place) else { throw damaged(unit, at: index) }
        let module = unit.unit.modules[place]
        if let known = modules.firstIndex(of: module) { return known + 1 }
        modules.append(module)
        return modules.count
    }

    /// The instruction with the chain's numbers of maps and modules instead of the unit's.
    private mutating func renumbered(
        _ instruction: Instruction, of unit: LinkUnit, at index: Int
    ) throws(XDPError) -> Instruction {
        var copy = instruction
        switch instruction.wideKind {
        case .mapIndex?, .mapIndexValue?:
            guard unit.mapIDs.indices.contains(Int(instruction.immediate)) else {
                throw damaged(unit, at: index)
            }
            copy.immediate = place(ofMap: unit.mapIDs[Int(instruction.immediate)])
        case .mapDescriptor?, .mapValue?:
            throw damaged(unit, at: index)
        default: break
        }
        if instruction.isKernelFunctionCall, instruction.offset > 0 {
            copy.offset = Int16(
                clamping: try place(ofModule: Int(instruction.offset) - 1, of: unit, at: index))
        }
        return copy
    }

    private mutating func renumberedSecondHalf(
        _ second: Instruction, of first: Instruction, _ unit: LinkUnit, at index: Int
    ) throws(XDPError) -> Instruction {
        guard first.wideKind == .btfID, second.immediate > 0 else { return second }
        var copy = second
        copy.immediate = Int32(
            clamping: try place(ofModule: Int(second.immediate) - 1, of: unit, at: index))
        return copy
    }

    // MARK: Records

    private func finish(_ assembly: Assembly) -> LinkedProgram {
        var byPosition: [Int: DebugInformation.Line] = [:]
        for (recorded, line) in lines {
            var moved = line
            moved.instruction = assembly.position(ofRecorded: recorded)
            // Several may fall together where nothing was emitted between them; the last one is meant.
            byPosition[moved.instruction] = moved
        }
        // The kernel refuses lines for the second halves of wide loads.
        for (place, instruction) in assembly.instructions.enumerated() where instruction.isWide {
            byPosition[place + 1] = nil
        }
        let count = assembly.instructions.count
        let finalLines = byPosition.values.filter { $0.instruction < count }
            .sorted { $0.instruction < $1.instruction }
        let finalSegments = segments.map { segment in
            LinkedProgram.Segment(
                range: assembly.position(
                    ofRecorded: segment.recorded.lowerBound)..<assembly.position(
                        ofRecorded: segment.recorded.upperBound),
                member: segment.member, unitStart: segment.unitStart)
        }
        var compositions = chain.members.map { _ in
            Composition(mode: .unreachable, reason: "no edge leads to it")
        }
        for (node, unit) in units.enumerated() {
            compositions[unit.member] = Composition(
                mode: unit.separate == nil ? plan.modes[node] : unit.isAdopted ? .adopted : .isolated,
                reason: unit.separate?.reason ?? plan.reasons[node], segment: graph.segment)
        }
        return LinkedProgram(
            instructions: assembly.instructions, mapIDs: mapIDs, modules: modules,
            functions: functions.map {
                .init(instruction: assembly.position(ofRecorded: $0.recorded), name: $0.name)
            },
            lines: finalLines, license: license, supportsFrags: units.allSatisfy(\.unit.supportsFrags),
            compositions: compositions, segments: finalSegments, frame: plan.frame)
    }

    /// "GPL" if all members are compatible with it, else the first licence that is not: then nothing may
    /// call what the kernel keeps for GPL programs.
    private var license: String {
        units.first { !$0.unit.isGPLCompatible }?.unit.license ?? "GPL"
    }
}
