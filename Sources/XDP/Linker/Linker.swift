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
    }

    public var limits: LinkLimits
    /// Members that are called although they could be inlined; how tests compare the two.
    var calledMembers: Set<String> = []

    public init(limits: LinkLimits) {
        self.limits = limits
    }

    /// Links a chain.
    ///
    /// - Throws: `invalid` for cycles and unknown names, `refused` for what one program cannot hold, with the
    ///   budget that is exceeded and the member that exceeds it.
    public func link(_ chain: Chain, counting: Counting) throws(XDPError) -> LinkedProgram {
        let graph = try ChainGraph(chain)
        guard !graph.nodes.isEmpty else {
            throw XDPError(.invalid, "An empty chain cannot be linked", because: "it has no members")
        }
        var units: [LinkUnit] = []
        for node in graph.nodes { units.append(try LinkUnit(chain.members[node.member], at: node.member)) }
        try checkCompany(units)
        let pages = counting.mode == .off ? [] : usedPages(graph, chain, counting)
        let plan = try LinkPlan(
            units: units, endsAll: graph.nodes.map(\.targets.isEmpty), counterPages: pages.count,
            limits: limits, calledMembers: calledMembers)
        var emitter = LinkEmitter(
            graph: graph, units: units, plan: plan, chain: chain, counting: counting, pages: pages)
        let linked = try emitter.emit(limits)
        try checkSize(linked, units, plan)
        return linked
    }

    /// The pages on which reachable members have a place.
    private func usedPages(_ graph: ChainGraph, _ chain: Chain, _ counting: Counting) -> [Int] {
        let slots = graph.nodes.map { chain.members[$0.member].counterSlot }
        return Set(slots.filter { $0 >= 0 }.map { $0 / CounterPage.members })
            .filter { $0 < counting.pageIDs.count }.sorted()
    }

    /// What members must agree in to share a program.
    private func checkCompany(_ units: [LinkUnit]) throws(XDPError) {
        for unit in units {
            let section = unit.unit.section
            if section.hasSuffix("/devmap") || section.hasSuffix("/cpumap") {
                throw XDPError(
                    .refused, "\(unit.name) cannot be a member",
                    because:
                        "it is a program for entries of a \(section.hasSuffix("/devmap") ? "devmap" : "cpumap")"
                        + " (section \(section)), not for an interface",
                    remedy: "Put it into the map's entry, as its own loader does")
            }
        }
        guard units.count > 1 else { return }
        if let thrower = units.first(where: \.unit.mayThrow) {
            throw XDPError(
                .refused, "\(thrower.name) cannot share a chain",
                because: "it calls bpf_throw, which would leave the whole chain and skip the other members",
                remedy: "Load it alone, or rebuild it without exceptions")
        }
    }

    /// Names the member with which a budget is exceeded, counted in the order of the program.
    private func checkSize(
        _ linked: LinkedProgram, _ units: [LinkUnit], _ plan: LinkPlan
    ) throws(XDPError) {
        if linked.mapIDs.count > limits.maps {
            var seen = Set(linked.mapIDs).subtracting(units.flatMap(\.usedMaps))
            let member = units.first { unit in
                seen.formUnion(unit.usedMaps)
                return seen.count > limits.maps
            }
            throw tooMuch(
                member,
                "the members refer to \(linked.mapIDs.count) maps, and one program may refer to "
                    + "\(limits.maps)",
                "Take a member away, or share maps between members with --reuse-map")
        }
        if linked.functions.count > limits.subprograms {
            var sum = 1
            let member = zip(units, plan.modes).first { unit, mode in
                sum += unit.layout.subprograms.count - (mode == .call ? 0 : 1)
                return sum > limits.subprograms
            }
            throw tooMuch(
                member?.0,
                "the members have \(linked.functions.count) functions, and one program may have "
                    + "\(limits.subprograms)",
                "Take a member away, or let the compiler inline their functions")
        }
        if linked.instructions.count > limits.instructions {
            var sum = 0
            let member = units.first { unit in
                sum += unit.unit.instructions.count
                return sum > limits.instructions
            }
            throw tooMuch(
                member,
                "the chain has \(linked.instructions.count) instructions, and one program may have "
                    + "\(limits.instructions)",
                "Take a member away")
        }
    }

    private func tooMuch(_ member: LinkUnit?, _ why: String, _ remedy: String) -> XDPError {
        let last = member.map { "\($0.name) does not fit into the chain" }
        return XDPError(
            .refused, last ?? "The chain is too large for one program", because: why, remedy: remedy)
    }
}
