// SPDX-License-Identifier: Apache-2.0

/// The part of a chain that one program holds: everything, or what can be reached from one member without
/// leaving its segment.
struct LinkGraph {
    /// Where a verdict leads.
    enum Target: Hashable {
        /// A place in `nodes`.
        case node(Int)
        /// A place in the array of segments: another program.
        case segment(Int)
    }

    struct Node {
        /// Its place in the chain.
        var member: Int
        /// Its place in the topological order of the whole chain.
        var place: Int
        /// Verdicts that lead on; others end the chain.
        var targets: [Verdict: Target]
    }

    /// In an order in which every edge leads forward.
    let nodes: [Node]
    /// Which segment of the chain it belongs to; 0 is the first.
    let segment: Int

    /// For each place in the array of segments the member that the program there begins with, by place in the
    /// chain.
    let entries: [Int]

    /// The programs that a chain becomes: the first one is attached, the others stand in the array of segments
    /// in this order.
    ///
    /// A segment that is entered at several members becomes a program for each of them, which holds what can be
    /// reached from there: so a tail call needs no parameter.
    ///
    /// - Parameter starts: topological places at which a new segment begins.
    static func parts(of graph: ChainGraph, starts: Set<Int>) -> [LinkGraph] {
        if graph.nodes.isEmpty { return [LinkGraph(nodes: [], segment: 0, entries: [])] }
        var segments: [Int] = []
        for place in graph.nodes.indices {
            segments.append((segments.last ?? 0) + (place > 0 && starts.contains(place) ? 1 : 0))
        }
        var entries = [0]
        var drafts: [(segment: Int, nodes: [Node])] = []
        while drafts.count < entries.count {
            let entry = entries[drafts.count]
            let segment = segments[entry]
            var reached: Set<Int> = [entry]
            var places: [Int: Int] = [:]
            var nodes: [Node] = []
            // Edges lead forward, so everything that leads to a place has been seen before it.
            for place in entry..<graph.nodes.count where reached.contains(place) {
                places[place] = nodes.count
                nodes.append(Node(member: graph.nodes[place].member, place: place, targets: [:]))
                for target in graph.nodes[place].targets.values where segments[target] == segment {
                    reached.insert(target)
                }
            }
            for index in nodes.indices {
                for (verdict, target) in graph.nodes[nodes[index].place].targets.sorted(by: {
                    $0.key < $1.key
                }) {
                    if let local = places[target] {
                        nodes[index].targets[verdict] = .node(local)
                        continue
                    }
                    if !entries.contains(target) { entries.append(target) }
                    let number = entries.firstIndex(of: target) ?? 0
                    nodes[index].targets[verdict] = .segment(number - 1)
                }
            }
            drafts.append((segment, nodes))
        }
        let firsts = entries.dropFirst().map { graph.nodes[$0].member }
        return drafts.map { LinkGraph(nodes: $0.nodes, segment: $0.segment, entries: firsts) }
    }

    /// The places in the array of segments that are led to, in order.
    var usedSegments: [Int] {
        var used: Set<Int> = []
        for node in nodes {
            for case .segment(let place) in node.targets.values { used.insert(place) }
        }
        return used.sorted()
    }
}
