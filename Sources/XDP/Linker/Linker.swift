// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Makes one program out of a chain. A pure function: same chain, same instructions.
///
///     main:      *(u64 *)(r10 - context) = r1
///     member k:  r1 = *(u64 *)(r10 - context)
///                zero for what k could see of earlier members (stack slots, registers)
///                k's main function, every exit turned into a jump to:
///     verdict k: count; if w0 == verdict goto member …; exit
///                taps are called before a member, before its verdict counts, and before the last exit
///     then the subprograms of all members
public struct Linker: Sendable {
    /// What the counters need: the maps that hold them, 64 members each.
    public struct Counting: Sendable, Hashable {
        public var mode: CounterMode
        /// Kernel ids of the per-CPU arrays.
        public var pageIDs: [UInt32]

        public init(mode: CounterMode, pageIDs: [UInt32]) {
            self.mode = mode
            self.pageIDs = pageIDs
        }

        public static let none = Counting(mode: .off, pageIDs: [])

        /// The map that has a place; nil where there is none.
        func page(ofSlot slot: Int) -> UInt32? {
            let page = slot / CounterPage.members
            return slot >= 0 && pageIDs.indices.contains(page) ? pageIDs[page] : nil
        }
    }

    public var limits: LinkLimits
    /// Members that become subprograms although they could be inlined, which is never better: for tests and
    /// benchmarks that compare the two.
    package var calledMembers: Set<String> = []
    /// Whether a chain without members handles packets of several buffers; only newer kernels have them.
    package var emptyChainsSupportFrags = false

    public init(limits: LinkLimits) {
        self.limits = limits
    }

    /// Links a chain that fits into one program.
    ///
    /// - Throws: `refused` for cycles, unknown names and what one program cannot hold, with the
    ///   budget that is exceeded and the member that exceeds it.
    public func link(_ chain: Chain, counting: Counting) throws(XDPError) -> LinkedProgram {
        do throws(LinkFailure) {
            guard let linked = try link(chain, counting: counting, segmentation: .none).first else {
                throw LinkFailure(
                    XDPError(.refused, "The chain cannot be linked", because: "nothing came of it"))
            }
            return linked
        } catch {
            throw error.error
        }
    }

    /// Where a chain is cut, and the array through which the parts lead on.
    struct Segmentation: Hashable {
        /// Kernel id of a program array.
        var array: UInt32
        /// Topological places at which a new segment begins.
        var starts: Set<Int>

        static let none = Segmentation(array: 0, starts: [])
    }

    /// Links a chain: the program that is attached, then those in the array of segments, in its order.
    func link(
        _ chain: Chain, counting: Counting, segmentation: Segmentation
    ) throws(LinkFailure) -> [LinkedProgram] {
        let parts: [LinkGraph]
        let all: [LinkUnit]
        let graph: ChainGraph
        do throws(XDPError) {
            graph = try ChainGraph(chain)
            guard !graph.nodes.isEmpty || !chain.taps.isEmpty else {
                throw XDPError(.refused, "An empty chain cannot be linked", because: "it has no members")
            }
            parts = LinkGraph.parts(of: graph, starts: segmentation.starts)
            var units: [LinkUnit] = []
            for node in graph.nodes {
                let member = chain.members[node.member]
                units.append(
                    try LinkUnit(member, at: node.member, stub: stub(of: member, in: chain, counting)))
            }
            all = units
        } catch {
            throw LinkFailure(error)
        }
        try checkCompany(all, counting, isWatched: chain.taps.contains { !$0.points.isEmpty })
        try TailCallBudget(graph, all, parts: parts).check()
        let supportsFrags = all.isEmpty ? emptyChainsSupportFrags : all.allSatisfy(\.unit.supportsFrags)
        var programs: [LinkedProgram] = []
        for part in parts {
            let units = part.nodes.map { all[$0.place] }
            programs.append(
                try link(part, units, of: chain, counting, segmentation, supportsFrags: supportsFrags))
        }
        merge(&programs)
        return programs
    }

    private func stub(of member: Member, in chain: Chain, _ counting: Counting) -> CallStub? {
        member.separate.map {
            CallStub(
                array: $0.arrayID, page: counting.page(ofSlot: member.counterSlot), slot: member.counterSlot,
                fallback: chain.fallback)
        }
    }

    private func link(
        _ part: LinkGraph, _ units: [LinkUnit], of chain: Chain, _ counting: Counting,
        _ segmentation: Segmentation, supportsFrags: Bool
    ) throws(LinkFailure) -> LinkedProgram {
        let pages = counting.mode == .off ? [] : usedPages(part, chain, counting)
        let sites: TapSites
        do throws(XDPError) {
            sites = try TapSites(of: chain, in: part)
        } catch {
            throw LinkFailure(error)
        }
        let endsAll = zip(part.nodes, units).map { node, unit in
            node.targets.isEmpty && !sites.follow(unit.name)
        }
        let plan = try LinkPlan(
            units: units, endsAll: endsAll, counterPages: pages.count,
            leadsOn: !part.usedSegments.isEmpty, limits: limits, calledMembers: calledMembers, sites: sites)
        var emitter = LinkEmitter(
            graph: part, segmentArray: segmentation.array, supportsFrags: supportsFrags, units: units,
            plan: plan, chain: chain, counting: counting, pages: pages, sites: sites)
        let linked: LinkedProgram
        do throws(XDPError) {
            linked = try emitter.emit(limits)
        } catch {
            throw LinkFailure(error, way: cut(part, units))
        }
        try checkSize(linked, part, units, plan)
        return linked
    }

    /// Where each member went, for all programs: a member may be in several.
    private func merge(_ programs: inout [LinkedProgram]) {
        guard programs.count > 1 else { return }
        var compositions = programs[0].compositions
        for program in programs.dropFirst() {
            for (member, composition) in program.compositions.enumerated()
            where compositions[member].mode == .unreachable {
                compositions[member] = composition
            }
        }
        for place in programs.indices {
            programs[place].compositions = compositions
        }
    }

    /// Where to cut a part that is too much for one program: in the middle of its instructions.
    func cut(_ part: LinkGraph, _ units: [LinkUnit]) -> LinkFailure.Way? {
        guard part.nodes.count > 1 else { return nil }
        let total = units.reduce(0) { $0 + $1.unit.instructions.count }
        var sum = 0
        for (index, unit) in units.enumerated() {
            sum += unit.unit.instructions.count
            if index + 1 < units.count, sum * 2 >= total || index + 2 == units.count {
                return .cut(part.nodes[index + 1].place)
            }
        }
        return nil
    }

    /// The pages on which reachable members have a place.
    private func usedPages(_ graph: LinkGraph, _ chain: Chain, _ counting: Counting) -> [Int] {
        let slots = graph.nodes.map { chain.members[$0.member].counterSlot }
        return Set(slots.filter { $0 >= 0 }.map { $0 / CounterPage.members })
            .filter { $0 < counting.pageIDs.count }.sorted()
    }

    /// What members must agree in to share a program.
    private func checkCompany(
        _ units: [LinkUnit], _ counting: Counting, isWatched: Bool
    ) throws(LinkFailure) {
        for unit in units {
            let section = unit.unit.section
            if section.hasSuffix("/devmap") || section.hasSuffix("/cpumap") {
                throw LinkFailure(
                    XDPError(
                        .refused, "\(unit.name) cannot be a member",
                        because:
                            "it is a program for entries of a \(section.hasSuffix("/devmap") ? "devmap" : "cpumap")"
                            + " (section \(section)), not for an interface",
                        remedy: "Put it into the map's entry, as its own loader does"))
            }
        }
        // What throws skips its own counter too, and the end.
        guard units.count > 1 || counting.mode != .off || isWatched else { return }
        if let thrower = units.first(where: \.unit.mayThrow) {
            throw LinkFailure(
                XDPError(
                    .refused, "\(thrower.name) cannot share a program",
                    because:
                        "it calls bpf_throw, which would leave the whole chain and skip the other members",
                    remedy: "Load it with --isolate, or rebuild it without exceptions"),
                way: .isolate(thrower.member, reason: "it calls bpf_throw, which would leave the whole chain")
            )
        }
    }

    /// Names the member with which a budget is exceeded, counted in the order of the program.
    private func checkSize(
        _ linked: LinkedProgram, _ part: LinkGraph, _ units: [LinkUnit], _ plan: LinkPlan
    ) throws(LinkFailure) {
        if linked.mapIDs.count > limits.maps {
            var seen = Set(linked.mapIDs).subtracting(units.flatMap(\.usedMaps))
            let place = units.firstIndex { unit in
                seen.formUnion(unit.usedMaps)
                return seen.count > limits.maps
            }
            throw tooMuch(
                part, units, place, cut: roomForSegments(linked, part, units),
                "the members refer to \(linked.mapIDs.count) maps, and one program may refer to "
                    + "\(limits.maps)",
                "Take a member away, or share maps between members with --reuse-map")
        }
        if linked.functions.count > limits.subprograms {
            var sum = 1 + linked.taps.count
            let place = zip(units, plan.modes).enumerated().first { _, entry in
                sum += entry.0.layout.subprograms.count - (entry.1 == .call ? 0 : 1)
                return sum > limits.subprograms
            }?.offset
            throw tooMuch(
                part, units, place,
                "the members have \(linked.functions.count) functions, and one program may have "
                    + "\(limits.subprograms)",
                "Take a member away, or let the compiler inline their functions")
        }
        if linked.instructions.count > limits.instructions {
            var sum = 0
            let place = units.firstIndex { unit in
                sum += unit.unit.instructions.count
                return sum > limits.instructions
            }
            throw tooMuch(
                part, units, place,
                "the chain has \(linked.instructions.count) instructions, and one program may have "
                    + "\(limits.instructions)",
                "Take a member away")
        }
    }

    /// The member with which it becomes too many maps once the array of segments is one of them, as it is in
    /// every part that leads on.
    private func roomForSegments(
        _ linked: LinkedProgram, _ part: LinkGraph, _ units: [LinkUnit]
    ) -> Int? {
        var seen = Set(linked.mapIDs).subtracting(units.flatMap(\.usedMaps))
        let limit = limits.maps - (part.usedSegments.isEmpty ? 1 : 0)
        return units.firstIndex { unit in
            seen.formUnion(unit.usedMaps)
            return seen.count > limit
        }
    }

    /// - Parameters:
    ///   - place: the member with which it becomes too much.
    ///   - cut: the member to cut at, if that is another one.
    private func tooMuch(
        _ part: LinkGraph, _ units: [LinkUnit], _ place: Int?, cut: Int? = nil, _ why: String,
        _ remedy: String
    ) -> LinkFailure {
        let unit = place.map { units[$0] }
        let last = unit.map { "\($0.name) does not fit into the chain" }
        let error = XDPError(
            .refused, last ?? "The chain is too large for one program", because: why, remedy: remedy)
        if let place = cut ?? place, place > 0 {
            return LinkFailure(error, way: .cut(part.nodes[place].place))
        }
        // What is too much beside the chain's own maps may fit without them.
        if let first = units.first, first.separate == nil {
            return LinkFailure(error, way: .isolate(first.member, reason: why))
        }
        return LinkFailure(error, way: self.cut(part, units))
    }
}
