// SPDX-License-Identifier: Apache-2.0
import TestSupport

@testable import XDP

/// A chain of scripted members with a random acyclic graph, and what it should do.
struct RandomChain {
    let chain: Chain

    /// - Parameter countedFrom: the first counter slot; nil for none.
    init(seed: UInt64, members count: Int, countedFrom slot: Int?) {
        var random = SeededGenerator(seed: seed)
        let edges = RandomGraph.edges(of: (0..<count).map { "m\($0)" }, using: &random)
        chain = Chain(
            members: edges.enumerated().map { place, edges in
                Member.scripted(place, edges: edges, slot: slot.map { $0 + place } ?? -1)
            })
    }

    /// The way of a packet: the members it meets and the 64-bit verdict of the last one.
    func walk(_ script: (Int) -> UInt64) -> (path: [Int], verdict: UInt64) {
        var path = [0]
        while true {
            let value = script(path[path.count - 1])
            let code = UInt32(truncatingIfNeeded: value)
            guard let next = RandomGraph.successor(of: path[path.count - 1], after: code, in: chain) else {
                return (path, value)
            }
            path.append(next)
        }
    }
}
