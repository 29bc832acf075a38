// SPDX-License-Identifier: Apache-2.0

/// A chain with its edges resolved to places, in an order in which every edge leads forward.
struct ChainGraph {
    /// One member that packets can reach.
    struct Node {
        /// Its place in the chain.
        var member: Int
        /// Where each verdict leads: a place in `nodes`, or nil for the end of the chain. Codes that are no
        /// verdict end the chain.
        var targets: [Verdict: Int]
    }

    /// Topologically ordered; the first is the first member of the chain.
    let nodes: [Node]
    /// Members that no packet can reach, by place in the chain.
    let unreachable: [Int]

    init(_ chain: Chain) throws(XDPError) {
        let members = chain.members
        var places: [String: Int] = [:]
        for (place, member) in members.enumerated() { places[member.name] = place }
        var targets: [[Verdict: Int]] = []
        for (place, member) in members.enumerated() {
            targets.append(try Self.targets(of: member, at: place, places: places, count: members.count))
        }
        let order = try Self.order(targets, names: members.map(\.name))
        var newPlaces: [Int: Int] = [:]
        for (new, old) in order.enumerated() { newPlaces[old] = new }
        nodes = order.map { old in
            Node(member: old, targets: targets[old].compactMapValues { newPlaces[$0] })
        }
        unreachable = members.indices.filter { newPlaces[$0] == nil }
    }

    private static func targets(
        of member: Member, at place: Int, places: [String: Int], count: Int
    ) throws(XDPError) -> [Verdict: Int] {
        var found: [Verdict: Int] = [:]
        for verdict in Verdict.allCases {
            switch member.edge(after: verdict) {
            case .end: break
            case .next: if place + 1 < count { found[verdict] = place + 1 }
            case .member(let name):
                guard let target = places[name] else {
                    throw XDPError(
                        .refused, "\(member.name) cannot lead \(verdict) to \(name)",
                        because: "the chain has no member \(name)")
                }
                found[verdict] = target
            }
        }
        return found
    }

    /// Depth-first from the first member; reversed postorder is a topological order. The search keeps its
    /// own stack, so that a chain of thousands cannot exhaust the thread's.
    private static func order(_ targets: [[Verdict: Int]], names: [String]) throws(XDPError) -> [Int] {
        guard !targets.isEmpty else { return [] }
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: targets.count)
        // Later members first: reversed at the end, members of the same rank stay in the user's order.
        let successors = targets.map { Set($0.values).sorted(by: >) }
        var postorder: [Int] = []
        var stack: [(node: Int, next: Int)] = [(0, 0)]
        marks[0] = .open
        while let top = stack.last {
            if top.next == successors[top.node].count {
                marks[top.node] = .done
                postorder.append(top.node)
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next += 1
            let target = successors[top.node][top.next]
            switch marks[target] {
            case .done: break
            case .new:
                marks[target] = .open
                stack.append((target, 0))
            case .open:
                let start = stack.firstIndex { $0.node == target } ?? 0
                let circle = stack[start...].map { names[$0.node] } + [names[target]]
                throw XDPError(
                    .refused, "The edges go round in a circle", because: circle.joined(separator: " → "),
                    remedy: "A packet may meet each member once: change one of these edges")
            }
        }
        return postorder.reversed()
    }
}
