// SPDX-License-Identifier: Apache-2.0
import XDP

/// Random acyclic graphs, and the model of how packets go through one.
public enum RandomGraph {
    /// The edges of each member: they lead from lower to higher rank, which need not be the order. The first
    /// member comes first.
    public static func edges(
        of names: [String], using random: inout SeededGenerator
    ) -> [[Verdict: Edge]] {
        let count = names.count
        var ranks = [0] + Array(1..<max(count, 1)).shuffled(using: &random)
        if Bool.random(using: &random) { ranks = Array(0..<count) }
        return (0..<count).map { place in
            var edges: [Verdict: Edge] = [:]
            let later = (0..<count).filter { ranks[$0] > ranks[place] }
            let nextIsLater = place + 1 == count || ranks[place + 1] > ranks[place]
            for verdict in Verdict.allCases {
                let target = later.randomElement(using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1: edges[verdict] = target.map { .member(names[$0]) } ?? .end
                case 2: edges[verdict] = nextIsLater ? .next : .end
                case 3: edges[verdict] = .end
                default: if verdict == .pass, !nextIsLater { edges[verdict] = .end }
                }
            }
            return edges
        }
    }

    /// The member that a packet goes to; nil at the end of the chain.
    public static func successor(of place: Int, after code: UInt32, in chain: Chain) -> Int? {
        guard let verdict = Verdict(rawValue: code) else { return nil }
        switch chain.members[place].edge(after: verdict) {
        case .end: return nil
        case .next: return place + 1 < chain.members.count ? place + 1 : nil
        case .member(let name): return chain.members.firstIndex { $0.name == name }
        }
    }
}
