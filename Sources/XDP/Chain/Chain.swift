// SPDX-License-Identifier: Apache-2.0

/// Members in order, and the edges between them: what shall run on an interface.
public struct Chain: Sendable, Hashable {
    /// In order; the first one sees every packet.
    public private(set) var members: [Member]
    public var counters: CounterMode
    /// What a packet gets when it cannot be handed on because it has used up its 33 tail calls.
    public var fallback: Verdict
    /// Who watches packets, in the order in which they came.
    public var taps: [Tap] = []
    /// Set while the chain is only there for its taps.
    public var loan: ChainLoan?

    public init(members: [Member] = [], counters: CounterMode = .bytes, fallback: Verdict = .aborted) {
        self.members = members
        self.counters = counters
        self.fallback = fallback
    }

    /// The member of a name.
    public subscript(name: String) -> Member? {
        members.first { $0.name == name }
    }

    /// Adds a member.
    public mutating func insert(_ member: Member, at position: Position) throws(XDPError) {
        guard Member.isValid(name: member.name) else {
            throw XDPError(
                .invalid, "A member cannot be called \"\(member.name)\"",
                because:
                    "a name is up to 63 letters, digits, _, - and ., and none of the words next, end and all",
                remedy: "Choose another one with --name")
        }
        guard self[member.name] == nil else {
            throw XDPError(
                .refused, "\(member.name) cannot be added", because: "the chain has a member of that name",
                remedy: "Choose another one with --name, or use `xdpctl replace`")
        }
        members.insert(member, at: try index(of: position, priority: member.priority))
    }

    /// Takes a member away.
    ///
    /// - Parameter droppingEdges: sets edges of others that lead to it back to the default; without it such
    ///   an edge is a reason to refuse.
    @discardableResult
    public mutating func remove(_ name: String, droppingEdges: Bool = false) throws(XDPError) -> Member {
        let index = try place(of: name)
        let referring = members.flatMap { member in
            member.edges.filter { $0.value == .member(name) }.map { (member.name, $0.key) }
        }.filter { $0.0 != name }
        if let first = referring.first {
            guard droppingEdges else {
                throw XDPError(
                    .refused, "\(name) cannot be removed",
                    because: "packets that \(first.0) gives \(first.1) are led to it",
                    remedy:
                        "Change that edge first (xdpctl edge … \(first.0) \(first.1)=end), or say --drop-edges"
                )
            }
            for (owner, verdict) in referring { try update(owner) { $0.edges[verdict] = nil } }
        }
        return members.remove(at: index)
    }

    /// Changes the place of a member.
    public mutating func move(_ name: String, to position: Position) throws(XDPError) {
        if position == .before(name) || position == .after(name) {
            throw XDPError(.invalid, "\(name) cannot be moved", because: "it was to stand beside itself")
        }
        var moved = self
        let member = moved.members.remove(at: try place(of: name))
        moved.members.insert(member, at: try moved.index(of: position, priority: member.priority))
        self = moved
    }

    /// Sets or resets an edge; nil makes it the default again.
    public mutating func setEdge(_ name: String, after verdict: Verdict, to edge: Edge?) throws(XDPError) {
        if case .member(let target)? = edge { _ = try place(of: target) }
        try update(name) { $0.edges[verdict] = edge }
    }

    /// Changes one member in place.
    public mutating func update(_ name: String, _ change: (inout Member) -> Void) throws(XDPError) {
        change(&members[try place(of: name)])
    }

    private func place(of name: String) throws(XDPError) -> Int {
        if let place = members.firstIndex(where: { $0.name == name }) { return place }
        throw XDPError(
            .refused, "There is no member \(name)",
            because: members.isEmpty
                ? "the chain is empty" : "the chain has \(members.map(\.name).joined(separator: ", "))")
    }

    private func index(of position: Position, priority: UInt32) throws(XDPError) -> Int {
        switch position {
        case .first: 0
        case .last: members.count
        case .before(let name): try place(of: name)
        case .after(let name): try place(of: name) + 1
        case .byPriority: (members.lastIndex { $0.priority <= priority } ?? -1) + 1
        }
    }
}
