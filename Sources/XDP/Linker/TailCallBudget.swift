// SPDX-License-Identifier: Apache-2.0

/// How many tail calls a packet can meet in a chain: the kernel allows 33 (MAX_TAIL_CALL_CNT), shared by all
/// programs it runs through.
struct TailCallBudget {
    static let limit = 33

    /// The most tail calls on any way through the chain, those of members themselves counted once each.
    private(set) var most = 0
    /// The members on that way that need some, or that a segment begins with.
    private(set) var members: [String] = []

    init(_ graph: ChainGraph, _ units: [LinkUnit], parts: [LinkGraph]) {
        var segments = [Int](repeating: 0, count: graph.nodes.count)
        for part in parts {
            for node in part.nodes { segments[node.place] = part.segment }
        }
        // The heaviest way to each place; edges lead forward.
        var cost = [Int](repeating: -1, count: graph.nodes.count)
        var way: [[String]] = graph.nodes.map { _ in [] }
        for place in graph.nodes.indices {
            if place == 0 { cost[0] = 0 }
            let unit = units[place]
            // Nobody knows whether an adopted program does some.
            let own =
                (unit.separate == nil ? 0 : 1) + (unit.spendsTailCalls && !unit.isAdopted ? 1 : 0)
            let total = cost[place] + own
            let path = own > 0 ? way[place] + [unit.name] : way[place]
            if total > most {
                most = total
                members = path
            }
            for target in Set(graph.nodes[place].targets.values) {
                let jump = segments[target] == segments[place] ? 0 : 1
                if total + jump > cost[target] {
                    cost[target] = total + jump
                    way[target] = path + (jump > 0 ? ["on to \(units[target].name)"] : [])
                }
            }
        }
    }

    func check() throws(LinkFailure) {
        guard most > Self.limit else { return }
        throw LinkFailure(
            XDPError(
                .refused, "The chain needs too many tail calls",
                because: "a packet may do \(Self.limit), and \(most) are on its way: "
                    + members.joined(separator: ", "),
                remedy: "Have fewer members in programs of their own (without --isolate)"))
    }
}
