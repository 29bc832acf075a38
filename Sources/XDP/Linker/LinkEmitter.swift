// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Writes the linked program down: prologue, members with their epilogues, subprograms.
struct LinkEmitter {
    let graph: LinkGraph
    /// The array of segments; 0 where the chain is one program.
    let segmentArray: UInt32
    /// Whether all members of the chain, also those in other segments, handle packets of several buffers.
    let supportsFrags: Bool
    let units: [LinkUnit]
    let plan: LinkPlan
    let chain: Chain
    let counting: Linker.Counting
    /// The pages of counters in use, in the order of `plan.counterSlots`.
    let pages: [Int]
    /// Who watches packets in this program.
    let sites: TapSites

    var assembler = Assembler()
    var mapIDs: [UInt32] = []
    var mapPlaces: [UInt32: Int32] = [:]
    var modules: [PreparedProgram.KernelModule] = []
    var nodeLabels: [Label] = []
    var segmentLabels: [Int: Label] = [:]
    /// The functions of `sites.callees`.
    var tapLabels: [Label] = []
    /// Recorded positions of everything that is translated after assembly.
    var functions: [(recorded: Int, name: String)] = []
    var lines: [(recorded: Int, line: DebugInformation.Line)] = []
    var segments: [(recorded: Range<Int>, member: Int, unitStart: Int?)] = []
    var tapRanges: [(recorded: Range<Int>, name: String)] = []

    /// The file name that glue goes by in source lines.
    static let glueFile = "xdpctl"

    init(
        graph: LinkGraph, segmentArray: UInt32, supportsFrags: Bool, units: [LinkUnit], plan: LinkPlan,
        chain: Chain, counting: Linker.Counting, pages: [Int], sites: TapSites
    ) {
        self.graph = graph
        self.segmentArray = segmentArray
        self.supportsFrags = supportsFrags
        self.units = units
        self.plan = plan
        self.chain = chain
        self.counting = counting
        self.pages = pages
        self.sites = sites
    }

    /// Whether something has to happen between a node's verdict and the end of the chain.
    func needsEpilogue(_ node: Int) -> Bool {
        !graph.nodes[node].targets.isEmpty || !pages.isEmpty || sites.follow(units[node].name)
    }

    mutating func emit(_ limits: LinkLimits) throws(XDPError) -> LinkedProgram {
        nodeLabels = graph.nodes.map { _ in assembler.label() }
        for place in graph.usedSegments { segmentLabels[place] = assembler.label() }
        var subprogramLabels: [[Label]] = units.map { _ in [] }
        for (index, unit) in units.enumerated() {
            subprogramLabels[index] = unit.layout.subprograms.map { _ in assembler.label() }
        }
        tapLabels = sites.callees.map { _ in assembler.label() }
        functions.append((0, "xdpctl_chain"))
        emitPrologue()
        if graph.nodes.isEmpty { try emitEmptyChain() }
        for node in graph.nodes.indices { try emitNode(node, subprogramLabels[node]) }
        try emitSegmentCalls()
        for node in graph.nodes.indices { try emitSubprograms(node, subprogramLabels[node]) }
        try emitTapFunctions()
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

    // MARK: Members

    mutating func emitSubprograms(_ node: Int, _ labels: [Label]) throws(XDPError) {
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
            try emitBody(of: unit, index, labels, epilogue: false)
        }
    }

    /// Copies one function of a unit.
    ///
    /// - Parameter epilogue: the code that follows takes the verdict: every exit becomes a jump there, and
    ///   the one at the end is left out.
    mutating func emitBody(
        of unit: LinkUnit, _ index: Int, _ labels: [Label], epilogue: Bool
    ) throws(XDPError) {
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
        if length > 0, let member = unit.place {
            segments.append((start..<assembler.count, member, range.lowerBound))
        }
        if let end { assembler.place(end) }
    }

    private func damaged(_ unit: LinkUnit, at place: Int) -> XDPError {
        XDPError(
            .failed, "\(unit.name) cannot be linked",
            because: "instruction \(place) refers to something that the unit does not have",
            remedy: "Rebuild or replace the object")
    }

    mutating func place(ofMap id: UInt32) -> Int32 {
        if let known = mapPlaces[id] { return known }
        let place = Int32(mapIDs.count)
        mapIDs.append(id)
        mapPlaces[id] = place
        return place
    }

    mutating func place(ofModule place: Int, of unit: LinkUnit, at index: Int) throws(XDPError) -> Int {
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
            lines: finalLines, license: license, supportsFrags: supportsFrags,
            compositions: compositions, segments: finalSegments,
            taps: tapRanges.map { tap in
                .init(
                    range: assembly.position(
                        ofRecorded: tap.recorded.lowerBound)..<assembly.position(
                            ofRecorded: tap.recorded.upperBound),
                    name: tap.name)
            }, frame: plan.frame)
    }

    /// "GPL" if all members are compatible with it, else the first licence that is not: then nothing may
    /// call what the kernel keeps for GPL programs.
    private var license: String {
        units.first { !$0.unit.isGPLCompatible }?.unit.license ?? "GPL"
    }
}
