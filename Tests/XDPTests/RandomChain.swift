// SPDX-License-Identifier: Apache-2.0
import TestSupport

@testable import XDP

/// A chain of scripted members with a random acyclic graph, and what it should do.
struct RandomChain {
    let chain: Chain

    /// - Parameter countedFrom: the first counter slot; nil for none.
    init(seed: UInt64, members count: Int, countedFrom slot: Int?) {
        var random = SeededGenerator(seed: seed)
        // Edges lead from lower to higher rank, which need not be the order; the first member comes first.
        var ranks = [0] + Array(1..<max(count, 1)).shuffled(using: &random)
        if Bool.random(using: &random) { ranks = Array(0..<count) }
        let members = (0..<count).map { place in
            var edges: [Verdict: Edge] = [:]
            let later = (0..<count).filter { ranks[$0] > ranks[place] }
            let nextIsLater = place + 1 == count || ranks[place + 1] > ranks[place]
            for verdict in Verdict.allCases {
                let target = later.randomElement(using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1: edges[verdict] = target.map { .member("m\($0)") } ?? .end
                case 2: edges[verdict] = nextIsLater ? .next : .end
                case 3: edges[verdict] = .end
                default: if verdict == .pass, !nextIsLater { edges[verdict] = .end }
                }
            }
            return Member.scripted(place, edges: edges, slot: slot.map { $0 + place } ?? -1)
        }
        chain = Chain(members: members)
    }

    /// The way of a packet: the members it meets and the 64-bit verdict of the last one.
    func walk(_ script: (Int) -> UInt64) -> (path: [Int], verdict: UInt64) {
        var path = [0]
        while true {
            let place = path[path.count - 1]
            let value = script(place)
            guard let verdict = Verdict(rawValue: UInt32(truncatingIfNeeded: value)) else {
                return (path, value)
            }
            switch chain.members[place].edge(after: verdict) {
            case .next where place + 1 < chain.members.count: path.append(place + 1)
            case .next, .end: return (path, value)
            case .member(let name):
                guard let target = chain.members.firstIndex(where: { $0.name == name }) else {
                    return (path, value)
                }
                path.append(target)
            }
        }
    }
}
