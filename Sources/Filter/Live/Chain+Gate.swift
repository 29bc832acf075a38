// SPDX-License-Identifier: Apache-2.0
import XDP

/// A filter whose new rules wait to be confirmed stands in the chain as three members: the gate, the new rules, and
/// the old ones as they were. What follows them follows both.
extension Chain {
    /// Puts new rules behind a gate, before the old ones.
    mutating func insert(
        _ filter: Member, called name: String, behind gate: Member, at position: Position?
    ) throws(XDPError) {
        let newName = FilterGate.newName(of: name)
        let old = self[name]
        if let position, old != nil { try move(name, to: position) }
        var new = filter
        new.name = newName
        if let old {
            new.edges = [:]
            new.priority = old.priority
            new.settings.isIsolated = old.settings.isIsolated
            for verdict in Verdict.allCases {
                let edge = old.edge(after: verdict)
                let target = edge == .next ? follower(of: name) : edge
                if target != .standard(for: verdict) { new.edges[verdict] = target }
            }
            try insert(new, at: .before(name))
            try redirectEdges(to: name, to: gate.name)
        } else {
            try insert(new, at: position ?? .first)
        }
        var gate = gate
        gate.edges[FilterGate.opens] = .member(newName)
        gate.edges[FilterGate.closes] = old == nil ? follower(of: newName) : .member(name)
        try insert(gate, at: .before(newName))
    }

    /// Takes the gate and the new rules away.
    mutating func takeBack(_ name: String) throws(XDPError) {
        let gate = FilterGate.gateName(of: name)
        guard let member = self[gate], FilterGate.mapID(of: member) != nil else { return }
        if self[name] != nil { try redirectEdges(to: gate, to: name) }
        for member in [gate, FilterGate.newName(of: name)] where self[member] != nil {
            try remove(member, droppingEdges: true)
        }
    }

    /// Puts the new rules in the place of the old ones, and takes the gate away.
    mutating func confirm(_ name: String) throws(XDPError) {
        let gate = FilterGate.gateName(of: name)
        let newName = FilterGate.newName(of: name)
        let edges = self[name]?.edges
        if self[name] != nil { try remove(name, droppingEdges: true) }
        try update(newName) { member in
            if let edges { member.edges = edges }
            // Its record there has the name that it had.
            member.separate = nil
            member.name = name
        }
        try redirectEdges(to: gate, to: name)
        try remove(gate, droppingEdges: true)
    }

    /// Where `next` leads from a member.
    private func follower(of name: String) -> Edge {
        guard let place = members.firstIndex(where: { $0.name == name }), place + 1 < members.count else {
            return .end
        }
        return .member(members[place + 1].name)
    }

    private mutating func redirectEdges(to old: String, to new: String) throws(XDPError) {
        for member in members {
            for (verdict, edge) in member.edges where edge == .member(old) {
                try update(member.name) { $0.edges[verdict] = .member(new) }
            }
        }
    }
}
