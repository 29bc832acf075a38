// SPDX-License-Identifier: Apache-2.0
import BPF

extension ChainEditor {
    /// Adds members in one swap.
    ///
    /// - Parameters:
    ///   - mode: how to attach, if the interface has no chain yet; native if nothing is said.
    ///   - counters: what to count from now on; unchanged if nothing is said.
    public func load(
        _ requests: [LoadRequest], mode: ModeRequest? = nil, counters: CounterMode? = nil
    ) throws(XDPError) -> ChangeReport {
        let what = "\(requests.map(\.path).joined(separator: ", ")) cannot be loaded on \(interface.name)"
        let manifest = try currentManifest()
        let present = manifest?.chain
        // What is certain to fail does so before maps are made.
        var trial = present ?? Chain()
        for request in requests {
            let name = request.name ?? ObjectFile.stem(of: request.path)
            try trial.insert(Member.placeholder(name), at: request.position ?? .last)
        }
        if mode == .offload, present == nil { try KernelFeatures.checkOffload(to: interface, what) }
        var builder = MemberBuilder()
        builder.othersSupportFrags = present?.members.allSatisfy(\.unit.supportsFrags) ?? true
        builder.offloadInterface = mode == .offload ? interface.index : 0
        builder.attachType = manifest?.attachType ?? .xdp
        var built: [MemberBuilder.Built] = []
        for request in requests { built.append(try builder.build(request)) }
        let members = zip(built, requests).map { ($0.0.member, $0.1.position ?? .byPriority) }
        let notes = built.flatMap(\.notes)
        // The objects' types have to be there when a member is loaded as a program of its own.
        defer { withExtendedLifetime(built) {} }
        return try change(what, mode: mode, resources: built.flatMap(\.maps)) { chain throws(XDPError) in
            for (member, position) in members { try chain.insert(member, at: position) }
            for (member, _) in members { try Self.checkEdges(of: member, in: chain) }
            if let counters { chain.counters = counters }
            return notes
        }
    }

    /// Takes members away; with `nil` all of them, and the chain with them.
    ///
    /// A program of somebody else that is a member for captures only does not count among all: it has to be named.
    public func unload(_ names: [String]?, droppingEdges: Bool = false) throws(XDPError) -> ChangeReport {
        let list = names?.joined(separator: ", ") ?? "The chain"
        let what = "\(list) cannot be unloaded from \(interface.name)"
        return try change(what, checks: .none) { chain throws(XDPError) in
            guard let names else {
                if case .adopted(let lent)? = chain.loan {
                    throw XDPError(
                        .refused, what,
                        because: "\(lent), which somebody else loaded, is there for captures only",
                        remedy:
                            "It is given back with the last capture; `xdpctl unload \(interface.name) \(lent)` takes it off"
                    )
                }
                let left = Self.pinNotes(chain.members)
                chain = Chain(counters: chain.counters)
                return left
            }
            // In an order in which members that lead to each other may go together.
            for name in names {
                for other in names where other != name && chain[other] != nil && chain[name] != nil {
                    try chain.update(other) { member in
                        member.edges = member.edges.filter { $0.value != .member(name) }
                    }
                }
            }
            var gone: [Member] = []
            for name in names { gone.append(try chain.remove(name, droppingEdges: droppingEdges)) }
            return Self.pinNotes(gone)
        }
    }

    /// Changes a member's place.
    public func move(_ name: String, to position: Position) throws(XDPError) -> ChangeReport {
        try change("\(name) cannot be moved on \(interface.name)") { chain throws(XDPError) in
            try chain.move(name, to: position)
            return []
        }
    }

    /// Sets edges of a member; nil makes one the default again.
    public func setEdges(_ name: String, _ edges: [Verdict: Edge?]) throws(XDPError) -> ChangeReport {
        try change("The edges of \(name) cannot be changed on \(interface.name)") { chain throws(XDPError) in
            for (verdict, edge) in edges { try chain.setEdge(name, after: verdict, to: edge) }
            return []
        }
    }

    /// Sets the verdict of packets that have used up their tail calls.
    public func setFallback(_ verdict: Verdict) throws(XDPError) -> ChangeReport {
        let what = "The fallback verdict of \(interface.name) cannot be set"
        return try change(what, checks: .none) { chain throws(XDPError) in
            guard !chain.members.isEmpty else { return [] }
            chain.fallback = verdict
            return []
        }
    }

    /// Switches the counting of verdicts.
    public func setCounters(_ mode: CounterMode) throws(XDPError) -> ChangeReport {
        let what = "The counters of \(interface.name) cannot be switched"
        return try change(what, checks: .none) { chain throws(XDPError) in
            guard !chain.members.isEmpty else { return [] }
            chain.counters = mode
            return []
        }
    }

    /// Puts new code in the place of a member, with its edges, counters, and the maps that still fit.
    ///
    /// A member with a program of its own is exchanged in its array, without a swap of the chain, if nothing
    /// else changes.
    public func replace(_ name: String, with request: LoadRequest) throws(XDPError) -> ChangeReport {
        let what = "\(name) cannot be replaced on \(interface.name)"
        if let report = try exchangeAlone(name, with: request, what) { return report }
        var builder = MemberBuilder()
        builder.attachType = try currentManifest()?.attachType ?? .xdp
        // Built against the member as it is; if that changes meanwhile it is built again.
        var built: MemberBuilder.Built?
        var basis: Member?
        var pool: [MapHandle] = []
        return try change(what) { chain throws(XDPError) in
            guard let current = chain[name] else {
                try chain.update(name) { _ in }
                return []
            }
            if current.adopted != nil {
                throw XDPError(
                    .refused, what, because: "somebody else loaded it, and updates it too",
                    remedy: "`xdpctl unload \(interface.name) \(name)`, then `xdpctl load` the object")
            }
            if built == nil || basis?.mapIDs != current.mapIDs || basis?.edges != current.edges {
                builder.othersSupportFrags = chain.members.filter { $0.name != name }
                    .allSatisfy(\.unit.supportsFrags)
                let new = try builder.build(request, replacing: current)
                pool += new.maps
                built = new
                basis = current
            }
            guard let built else { return [] }
            for (verdict, edge) in request.edges {
                try chain.setEdge(name, after: verdict, to: edge)
            }
            let edges = chain[name]?.edges ?? [:]
            try chain.update(name) { member in
                var fresh = built.member
                fresh.edges = edges
                fresh.counterSlot = current.counterSlot
                fresh.counterBaseline = current.counterBaseline
                fresh.priority = current.priority
                // The same again is no change.
                var same = fresh
                same.buildTime = member.buildTime
                same.separate = member.separate
                same.composition = member.composition
                member = same == member ? member : fresh
            }
            _ = pool.count
            return built.notes
        }
    }

    /// The manifest of the chain that is attached and may be joined; nil where nothing is.
    func currentManifest() throws(XDPError) -> Manifest? {
        guard let current = try interface.refreshed() else {
            throw Self.gone("Nothing can be loaded", interface.name)
        }
        if case .chain(let active) = try current.occupant(), !active.manifest.isClosed {
            return active.manifest
        }
        if case .foreign(let program) = try current.occupant() {
            throw Self.occupied("Nothing can be loaded on \(interface.name)", interface.name, program)
        }
        return nil
    }

    private static func checkEdges(of member: Member, in chain: Chain) throws(XDPError) {
        for (verdict, edge) in member.edges {
            guard case .member(let target) = edge, chain[target] == nil else { continue }
            throw XDPError(
                .refused, "\(member.name) cannot lead \(verdict) to \(target)",
                because: "the chain has no member \(target)",
                remedy: "Load \(target) first, or in the same command")
        }
    }

    /// Pins belong to the user and stay.
    private static func pinNotes(_ members: [Member]) -> [String] {
        members.flatMap(\.pins).filter { BPFFileSystem.exists($0.path) }.map {
            "\($0.map) stays pinned at \($0.path)"
        }
    }
}
