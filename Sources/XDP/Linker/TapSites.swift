// SPDX-License-Identifier: Apache-2.0
import BPF

/// Which taps one of a chain's programs calls, and where.
struct TapSites {
    /// One tap at one point.
    struct Call {
        /// Its place in `units`.
        var tap: Int
        /// What the point is called by the tap.
        var number: Int32
    }

    /// A tap that is called somewhere in the program.
    struct Callee {
        let unit: LinkUnit
        /// The map whose first word says whether somebody still reads what the tap writes.
        let guardID: UInt32
    }

    private(set) var callees: [Callee] = []
    private var calls: [TapPoint: [Call]] = [:]
    /// Whether some packets that another segment could not take are seen.
    private(set) var seesMissed = false

    /// Nobody watches.
    static let none = TapSites()

    private init() {}

    /// - Throws: what is wrong with a tap's code.
    init(of chain: Chain, in part: LinkGraph) throws(XDPError) {
        guard !chain.taps.isEmpty else { return }
        var points = part.segment == 0 ? [TapPoint(.start)] : []
        for node in part.nodes {
            let name = chain.members[node.member].name
            points += [TapPoint.Kind.entry, .exit, .end].map { TapPoint($0, member: name) }
        }
        let missed = part.usedSegments.map {
            TapPoint(.end, member: chain.members[part.entries[$0]].name)
        }
        points += missed
        if part.nodes.isEmpty { points.append(TapPoint(.end)) }
        for tap in chain.taps {
            var numbers: [TapPoint: Int32] = [:]
            for (number, point) in tap.points.enumerated() { numbers[point] = Int32(number) }
            let seen = points.filter { numbers[$0] != nil }
            guard !seen.isEmpty else { continue }
            guard tap.mapIDs.indices.contains(tap.guardMap) else {
                throw XDPError(
                    .failed, "\(tap.name) cannot be linked", because: "it has no guard among its maps")
            }
            callees.append(Callee(unit: try LinkUnit(tap), guardID: tap.mapIDs[tap.guardMap]))
            for point in Set(seen) {
                guard let number = numbers[point] else { continue }
                calls[point, default: []].append(Call(tap: callees.count - 1, number: number))
            }
        }
        seesMissed = missed.contains { calls[$0] != nil }
    }

    var isEmpty: Bool { callees.isEmpty }

    /// Instructions that are written once more for taps at ends, at most; beyond that jumps get too long.
    private static let mostAtEnds = 4096

    /// The taps that are called last where a packet leaves the chain: nothing has to be kept for what follows but the verdict, so
    /// they can stand there instead of being called. None if that would be much code.
    var atEnds: Set<Int> {
        let last = calls.filter { $0.key.kind == .end }.compactMap { $0.value.last?.tap }
        let size = last.reduce(0) { $0 + callees[$1].unit.unit.instructions.count }
        return size <= Self.mostAtEnds ? Set(last) : []
    }

    /// Of those the ones that are called nowhere else.
    var onlyAtEnds: Set<Int> {
        var others: Set<Int> = []
        for (point, calls) in calls {
            others.formUnion((point.kind == .end ? calls.dropLast() : calls[...]).map(\.tap))
        }
        return atEnds.subtracting(others)
    }

    /// Who is called at a point, in the order of the chain's taps.
    func calls(at point: TapPoint) -> [Call] { calls[point] ?? [] }

    /// Whether somebody waits for a member's verdict, at its exit or at the end.
    func follow(_ member: String) -> Bool {
        calls[TapPoint(.exit, member: member)] != nil || calls[TapPoint(.end, member: member)] != nil
    }
}
