// SPDX-License-Identifier: Apache-2.0

/// Which functions' frames can be on top of which: the call edges without those that close a circle.
struct CallGraph {
    /// For each function those whose frames can be on top of its own, ascending.
    let callees: [[Int]]
    /// Every function before its callees.
    let order: [Int]
    /// Whether a callback edge closed a circle.
    let rearmsCallbacks: Bool

    /// Throws ``BytecodeError`` with the first call that closes a circle of calls.
    init(_ edges: [CallEdge], functions: Int) throws(BytecodeError) {
        var calls = [Set<Int>](repeating: [], count: functions)
        var all = calls
        for edge in edges {
            all[edge.caller].insert(edge.callee)
            if edge.kind == .call { calls[edge.caller].insert(edge.callee) }
        }

        // Circles that a callback closes are broken at their callbacks. What is a circle then is a recursion.
        let reach = Self.reach(all)
        var rearms = false
        var frames = calls
        for edge in edges where edge.kind == .callback {
            if reach[edge.callee].contains(edge.caller) {
                rearms = true
            } else {
                frames[edge.caller].insert(edge.callee)
            }
        }
        callees = frames.map { $0.sorted() }
        order = Self.topologicalOrder(callees)
        rearmsCallbacks = rearms
        if order.count < functions {
            let reach = Self.reach(calls)
            let closing = edges.first { $0.kind == .call && reach[$0.callee].contains($0.caller) }
            throw BytecodeError(.recursion, at: closing?.index)
        }
    }

    /// For each function those it reaches, itself included.
    private static func reach(_ edges: [Set<Int>]) -> [Set<Int>] {
        edges.indices.map { start in
            var seen: Set<Int> = [start]
            var open = [start]
            while let next = open.popLast() {
                for callee in edges[next] where seen.insert(callee).inserted { open.append(callee) }
            }
            return seen
        }
    }

    /// Every function before its callees; functions on a circle, and behind one, are missing.
    private static func topologicalOrder(_ callees: [[Int]]) -> [Int] {
        var callers = [Int](repeating: 0, count: callees.count)
        for callee in callees.joined() { callers[callee] += 1 }
        var order = callers.indices.filter { callers[$0] == 0 }
        var next = 0
        while next < order.count {
            for callee in callees[order[next]] {
                callers[callee] -= 1
                if callers[callee] == 0 { order.append(callee) }
            }
            next += 1
        }
        return order
    }
}
