// SPDX-License-Identifier: Apache-2.0
import BPF

extension ChainEditor {
    /// Adds a tap: to the chain that runs, to an empty chain made for it, or to one that adopts what runs.
    ///
    /// The guard's word has to name the owner by then. `resources` are the tap's maps; the chain holds them afterwards.
    ///
    /// - Parameter mode: how to attach where nothing is attached yet.
    /// - Returns: ``ChangeReport/chain`` has the tap with its points.
    /// - Throws: `refused` for names that no member has, and where packets pass the card's own program.
    public func startTap(
        _ tap: Tap, resources: [MapHandle], mode: ModeRequest
    ) throws(XDPError) -> ChangeReport {
        let what = "\(tap.name) cannot start on \(interface.name)"
        try tap.check(what)
        let maps = MapPool()
        maps.add(resources)
        let memory = PreflightMemory()
        let edit = { (chain: inout Chain) throws(XDPError) -> [String] in
            try Self.add(tap, to: &chain, what)
        }
        return try repeating(what) { () throws(XDPError) -> ChangeReport? in
            guard let current = try interface.refreshed() else { throw Self.gone(what, interface.name) }
            switch try current.occupant() {
            case .foreign(let program):
                if program.mode == .offload { throw onCard(what) }
                return try adopt(program, nil, for: .taps(resources), memory, what, edit)
            case .chain(let active):
                if active.mode == .offload { throw onCard(what) }
                return try attempt(from: active, what, nil, maps, of: .taps, edit)
            case .unreadable:
                // Says why.
                _ = try activeChain(what)
                return nil
            case .none:
                if mode == .offload { throw onCard(what) }
                return try attempt(from: nil, what, mode, maps, of: .taps, edit)
            }
        }
    }

    /// Takes a tap out; ends the loan with the last one. Doing it again is no error.
    public func endTap(_ name: String) throws(XDPError) -> ChangeReport {
        try dropTaps("\(name) cannot be ended on \(interface.name)") { $0.name == name }
    }

    /// Takes out taps whose owner is gone, and ends their loan; nil if there are none. Commands that only read call it, too.
    public func sweepTaps() throws(XDPError) -> ChangeReport? {
        guard let current = try interface.refreshed(), case .chain(let active) = try current.occupant(),
            !active.manifest.isClosed, active.manifest.chain.hasLeftovers
        else { return nil }
        let report = try dropTaps("What ended captures left on \(interface.name) cannot be removed") { _ in
            false
        }
        return report.outcome == .unchanged ? nil : report
    }

    /// Takes out the taps that are meant, and those whose owner is gone.
    private func dropTaps(
        _ what: String, where isMeant: (Tap) -> Bool
    ) throws(XDPError) -> ChangeReport {
        try repeating(what) { () throws(XDPError) -> ChangeReport? in
            guard let current = try interface.refreshed(), case .chain(let active) = try current.occupant()
            else {
                return ChangeReport(
                    outcome: .unchanged, interface: interface.name, mode: .native, fellBack: false,
                    chain: Chain(), generation: 0, retries: 0, notes: [])
            }
            if active.manifest.isClosed {
                try finishClosing(active.attached)
                return nil
            }
            let chain = active.manifest.chain
            if !chain.isMoreThanLent, !chain.taps.contains(where: { !isMeant($0) && $0.hasOwner() }) {
                return try endLoan(of: active, what)
            }
            return try attempt(from: active, what, nil, MapPool(), of: .taps) { chain throws(XDPError) in
                chain.taps.removeAll(where: isMeant)
                return []
            }
        }
    }

    /// Puts the interface back as it was before a chain was made for taps alone.
    ///
    /// - Returns: nil if somebody else was faster.
    func endLoan(of base: ActiveChain, _ what: String) throws(XDPError) -> ChangeReport? {
        guard case .adopted(let name)? = base.manifest.chain.loan else { return try close(base, what, []) }
        guard base.manifest.chain[name]?.separate?.programID != 0 else {
            return try close(
                base, what,
                [
                    "the program of \(name) is gone: somebody removed the pin of its array, so it cannot be given back"
                ])
        }
        return try release(name, from: base, for: .endOfTaps, what)
    }

    private static func add(
        _ tap: Tap, to chain: inout Chain, _ what: String
    ) throws(XDPError) -> [String] {
        guard !chain.taps.contains(where: { $0.name == tap.name }) else {
            throw XDPError(.refused, what, because: "one of that name is there")
        }
        let unknown = tap.selection.unknownNames(in: chain)
        guard unknown.isEmpty else {
            let names = chain.members.map(\.name).joined(separator: ", ")
            throw XDPError(
                .refused, what, because: "the chain has no member \(unknown.joined(separator: ", "))",
                remedy: names.isEmpty
                    ? "It has no members: look at start and end" : "It has \(names)")
        }
        chain.taps.append(tap)
        let sees = chain.tapPoints.contains { tap.selection.includes($0) }
        return sees ? [] : ["\(tap.name) sees nothing until there are members"]
    }

    private func onCard(_ what: String) -> XDPError {
        XDPError(
            .refused, what,
            because:
                "packets of \(interface.name) go through a program on the card, and a capture runs in this machine",
            remedy: "Take that off, and attach in native mode")
    }
}

extension Interface {
    /// What runs on it, once what ended captures left was removed, as far as that is possible.
    public func sweptOccupant() throws(XDPError) -> Occupant {
        let found = try occupant()
        guard case .chain(let active) = found, !active.manifest.isClosed, active.manifest.chain.hasLeftovers,
            ((try? ChainEditor(self).sweepTaps()) ?? nil) != nil
        else { return found }
        return try refreshed()?.occupant() ?? found
    }
}

extension Chain {
    /// Whether taps are there that nobody reads, or nothing else is left of some.
    var hasLeftovers: Bool {
        if taps.isEmpty { return loan != nil }
        return taps.contains { !$0.hasOwner() }
    }

    /// What a change does to the reason why the chain is there.
    ///
    /// - Returns: what the user should know of it.
    mutating func settleLoan(of interface: String, in mode: AttachMode?) -> [String] {
        let names = taps.map(\.name).joined(separator: ", ")
        if members.isEmpty {
            guard !taps.isEmpty, loan != .made else { return [] }
            loan = .made
            let state = mode == nil ? "nothing was attached to \(interface)" : "no members are left"
            return ["\(state): a chain without members, which passes every packet, is there for \(names)"]
        }
        guard let former = loan, isMoreThanLent || taps.isEmpty else { return [] }
        loan = nil
        switch former {
        case .made where mode == .generic:
            return ["the chain was made for a capture, in generic mode, and stays in it"]
        case .adopted(let name) where self[name] != nil:
            return [
                "\(name), which was adopted for a capture, stays a member; `xdpctl release` gives it back"
            ]
        default: return []
        }
    }
}
