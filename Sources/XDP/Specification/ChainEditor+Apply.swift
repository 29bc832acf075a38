// SPDX-License-Identifier: Apache-2.0
import BPF

extension ChainEditor {
    /// Makes the chain what is wanted, in one swap, or in none if it is so already.
    ///
    /// Members of the same name, content and settings stay with their maps and counters; those that differ are
    /// built anew and keep their counters and the maps that fit.
    ///
    /// - Parameter foreseen: the members that were there when the change was planned. What somebody else added
    ///   since is taken out too, because the target is the whole chain; a note says so.
    /// - Returns: nil where nothing was to run and nothing does.
    public func apply(_ target: ChainTarget, foreseen: [String]? = nil) throws(XDPError) -> ChangeReport? {
        let what = "The chain of \(interface.name) cannot be made as described"
        if target.members.isEmpty {
            guard try hasChain(), !isRehearsal else { return nil }
            do throws(XDPError) {
                return try unload(nil)
            } catch {
                // Somebody else may have unloaded it meanwhile.
                if try !hasChain() { return nil }
                throw error
            }
        }
        if target.mode == .offload, try !hasChain() { try KernelFeatures.checkOffload(to: interface, what) }
        // A loan that nobody needs ends before the program that was lent is adopted for good.
        if target.adoptee != nil, !isRehearsal { _ = try sweepTaps() }
        var workshop = Workshop(target: target, interface: interface)
        if case .chain(let active)? = try interface.refreshed()?.occupant() {
            workshop.attachType = active.manifest.attachType
        }
        defer { withExtendedLifetime(workshop) {} }
        let edit = { (chain: inout Chain) throws(XDPError) -> [String] in
            try workshop.refit(&chain, foreseen, what)
        }
        var report =
            if let name = target.adoptee, try hasForeignProgram() {
                try adopt(name, what, edit)
            } else {
                try change(what, mode: target.mode, edit)
            }
        if !isRehearsal, report.outcome != .unchanged { report.notes += workshop.finish() }
        return report
    }

    /// What the checks before ``apply(_:foreseen:)`` would find, the worst first; nothing is changed.
    ///
    /// Objects are opened and their maps made, and all of that goes again.
    public func check(_ target: ChainTarget) throws(XDPError) -> [CheckFinding] {
        var rehearsal = self
        rehearsal.isRehearsal = true
        rehearsal.overridesChecks = true
        return try rehearsal.apply(target)?.checks ?? []
    }

    private func hasForeignProgram() throws(XDPError) -> Bool {
        guard case .foreign? = try interface.refreshed()?.occupant() else { return false }
        return true
    }

    private func hasChain() throws(XDPError) -> Bool {
        guard let current = try interface.refreshed() else {
            throw Self.gone("The chain of \(interface.name) cannot be changed", interface.name)
        }
        guard case .chain(let active) = try current.occupant() else { return false }
        // What is only there for captures is nothing that a file describes.
        return !active.manifest.isClosed && active.manifest.chain.loan == nil
    }
}

/// Builds the members of a target, each once, however often the swap has to be tried.
private struct Workshop {
    let target: ChainTarget
    let interface: Interface
    /// What the chain is loaded for.
    var attachType = AttachType.xdp
    private var finished: [String: (basis: [UInt32]?, built: MemberBuilder.Built)] = [:]
    /// Also what was built in vain is held until the end, since the kernel may still look at it.
    private var shelf: [MemberBuilder.Built] = []
    private var made: [String: (basis: [UInt32]?, made: MadeMember)] = [:]
    private var madeInVain: [MadeMember] = []

    init(target: ChainTarget, interface: Interface) {
        self.target = target
        self.interface = interface
    }

    /// Makes the chain the target.
    mutating func refit(
        _ chain: inout Chain, _ foreseen: [String]?, _ what: String
    ) throws(XDPError) -> [String] {
        var notes: [String] = []
        var members: [Member] = []
        if let adopted = chain.members.compactMap(\.adopted).first { attachType = adopted.attachType }
        let lent = try lentMember(of: chain, what)
        for wanted in target.members {
            var present = chain[wanted.name]
            if wanted.name == target.adoptee, let lent { present = lent }
            present?.name = wanted.name
            members.append(try make(wanted, present, what, &notes))
        }
        let names = Set(target.members.map(\.name)).union(lent.map { [$0.name] } ?? [])
        for member in chain.members where !names.contains(member.name) {
            notes += member.pins.filter { BPFFileSystem.exists($0.path) }.map {
                "\($0.map) stays pinned at \($0.path)"
            }
            if let foreseen, !foreseen.contains(member.name) {
                notes.append(
                    "\(member.name), which somebody else added meanwhile, was taken out: what is applied is "
                        + "the whole chain")
            }
        }
        chain = Chain(members: members, counters: target.counters, fallback: target.fallback)
        return notes
    }

    /// The program of somebody else that is a member only for the time of captures: it is treated as if it still were alone.
    private func lentMember(of chain: Chain, _ what: String) throws(XDPError) -> Member? {
        guard case .adopted(let name)? = chain.loan, let member = chain[name] else { return nil }
        guard target.adoptee != nil else {
            throw XDPError(
                .refused, what,
                because:
                    "\(interface.name) already runs a program that xdpctl did not load, as \(name) in a chain that is "
                    + "there for captures",
                remedy:
                    "Say that it stays, with `- { name: NAME, adopted: true }` among the members; or take it off"
            )
        }
        return member
    }

    private mutating func make(
        _ wanted: ChainTarget.Member, _ present: Member?, _ what: String, _ notes: inout [String]
    ) throws(XDPError) -> Member {
        if let obstacle = ChainObstacle.adoption(of: wanted, present, interface, what) {
            throw obstacle.error
        }
        if case .made(let maker) = wanted.source { return try make(wanted, maker, present) }
        guard case .object(let request, let outline) = wanted.source else {
            return kept(present ?? .placeholder(wanted.name), wanted)
        }
        if let present, present.differences(from: request, outline).isEmpty {
            var member = kept(present, wanted)
            member.origin = outline.origin
            return member
        }
        let built = try build(wanted.name, request, outline, replacing: present)
        notes += built.notes.map { $0.hasPrefix("\(wanted.name): ") ? $0 : "\(wanted.name): \($0)" }
        var member = built.member
        member.edges = wanted.edges
        member.settings = MemberSettings(request)
        if let present {
            member.counterSlot = present.counterSlot
            member.counterBaseline = present.counterBaseline
        }
        return member
    }

    /// A member that comes from no object.
    private mutating func make(
        _ wanted: ChainTarget.Member, _ maker: any MemberMaker, _ present: Member?
    ) throws(XDPError) -> Member {
        if let present, maker.differences(from: present).isEmpty { return kept(present, wanted) }
        let new: MadeMember
        if let known = made[wanted.name], known.basis == present?.mapIDs {
            new = known.made
        } else {
            new = try maker.make(wanted.name, replacing: present)
            if let old = made[wanted.name] { madeInVain.append(old.made) }
            made[wanted.name] = (present?.mapIDs, new)
        }
        var member = new.member
        member.edges = wanted.edges
        if let present {
            member.counterSlot = present.counterSlot
            member.counterBaseline = present.counterBaseline
            member.priority = present.priority
            member.settings.isIsolated = present.settings.isIsolated
        }
        return member
    }

    /// Once the chain runs.
    func finish() -> [String] {
        made.sorted { $0.key < $1.key }.flatMap { name, entry in
            entry.made.finish().map { "\(name): \($0)" }
        }
    }

    private func kept(_ present: Member, _ wanted: ChainTarget.Member) -> Member {
        var member = present
        if !member.leads(as: wanted.edges) { member.edges = wanted.edges }
        return member
    }

    private mutating func build(
        _ name: String, _ request: LoadRequest, _ outline: ObjectOutline, replacing present: Member?
    ) throws(XDPError) -> MemberBuilder.Built {
        if let known = finished[name], known.basis == present?.mapIDs { return known.built }
        var builder = MemberBuilder()
        builder.attachType = attachType
        builder.othersSupportFrags = target.members.allSatisfy { other in
            if other.name == name { return true }
            if case .object(_, let outline) = other.source { return outline.supportsFrags }
            return true
        }
        builder.offloadInterface = target.mode == .offload ? interface.index : 0
        var named = request
        named.name = name
        let built = try builder.build(named, replacing: present?.inheritance(for: request))
        guard built.member.digest == outline.digest else {
            throw XDPError(
                .failed, "\(name) cannot be loaded",
                because: "\(request.path) changed while it was looked at",
                remedy: "Try again")
        }
        finished[name] = (present?.mapIDs, built)
        shelf.append(built)
        return built
    }
}
