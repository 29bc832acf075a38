// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import SystemPackage

extension ChainEditor {
    /// Makes the program that somebody else attached a member of a new chain, which takes its place in one
    /// swap. A link stays the owner's, and is pinned so that it outlives the owner.
    ///
    /// - Parameter name: what the member is called; the program's name, if nothing is said.
    public func adopt(
        name: String? = nil, counters: CounterMode? = nil
    ) throws(XDPError) -> ChangeReport {
        let what = "What runs on \(interface.name) cannot be adopted"
        return try adopt(name, what) { chain throws(XDPError) in
            chain.counters = counters ?? .bytes
            return []
        }
    }

    /// Adopts, and has the chain edited that the program is a member of, in the same swap.
    func adopt(
        _ name: String?, _ what: String, _ edit: (inout Chain) throws(XDPError) -> [String]
    ) throws(XDPError) -> ChangeReport {
        let memory = PreflightMemory()
        return try repeating(what) { () throws(XDPError) -> ChangeReport? in
            if let current = try interface.refreshed(), case .chain(let active) = try current.occupant(),
                case .adopted(let lent)? = active.manifest.chain.loan, !active.manifest.chain.isMoreThanLent
            {
                return try keep(lent, as: name, of: active, what, edit)
            }
            return try adopt(foreignProgram(what), name, for: .good, memory, what, edit)
        }
    }

    /// Lets a member stay that was adopted for the time of captures.
    ///
    /// - Returns: nil if it has to be done again.
    private func keep(
        _ lent: String, as name: String?, of active: ActiveChain, _ what: String,
        _ edit: (inout Chain) throws(XDPError) -> [String]
    ) throws(XDPError) -> ChangeReport? {
        try attempt(from: active, what, nil, MapPool()) { chain throws(XDPError) in
            chain.loan = nil
            if let name, name != lent { try chain.update(lent) { $0.name = name } }
            return try edit(&chain)
        }
    }

    /// Why somebody else's program becomes a member.
    enum AdoptionReason {
        /// It was asked for.
        case good
        /// As long as there are taps; with their maps.
        case taps([MapHandle])
    }

    /// One try.
    ///
    /// - Returns: nil if somebody else was faster.
    func adopt(
        _ foreign: ForeignProgram, _ name: String?, for reason: AdoptionReason, _ memory: PreflightMemory,
        _ what: String, _ edit: (inout Chain) throws(XDPError) -> [String]
    ) throws(XDPError) -> ChangeReport? {
        guard case .found(let holder) = try holder(of: foreign, what) else { return nil }
        let attached: AttachedProgram
        do throws(BPFError) {
            let program = try Program(id: foreign.information.id)
            attached = AttachedProgram(
                id: foreign.information.id, program: program, mode: foreign.mode,
                linkID: holder, interface: interface.index)
        } catch {
            // It was exchanged since.
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw XDPError(error, during: what)
        }
        let held = ForeignProgram(
            information: foreign.information, mode: foreign.mode, linkID: attached.linkID)
        for attachTypes in [Adoption.attachTypes, [.unspecified]] {
            let adoption = try Adoption(
                of: attached.program, held, as: name ?? Adoption.name(for: foreign.information),
                attachTypes: attachTypes, what: what)
            var chain = Chain()
            try chain.insert(adoption.member, at: .last)
            let edited = try edit(&chain)
            let checks = try preflight(
                chain, since: nil, mode: foreign.mode, request: nil, running: [adoption.member.name],
                memory, what)
            if isRehearsal { return rehearsed(chain, nil, edited, checks) }
            let maps = MapPool()
            maps.add([adoption.array])
            var notes = notes(held)
            if case .taps(let resources) = reason {
                maps.add(resources)
                chain.loan = .adopted(adoption.member.name)
                notes = [
                    "program \(held.information.id), which somebody else loaded, is the member \(adoption.member.name) of a "
                        + "chain as long as there are captures"
                ]
            }
            var change = ChainChange(
                interface: interface, active: attached, base: nil, maps: maps, what: what)
            let attachType = adoption.member.adopted?.attachType ?? .xdp
            var report = try change.carryOut(
                chain, mode: .native, attachType: attachType, notes: notes + edited)
            report?.checks = checks
            if !change.isUnlike { return report }
        }
        throw XDPError(
            .refused, what,
            because: "the kernel lets no chain take the place of program \(foreign.information.id)",
            remedy: "Unload it with its own loader, and load its object with `xdpctl load`")
    }

    /// Puts an adopted program back on the hook, alone, as it was before.
    ///
    /// - Parameter unloadingOthers: takes the other members off in the same swap; without it they are a reason
    ///   to refuse.
    public func release(_ name: String, unloadingOthers: Bool = false) throws(XDPError) -> ChangeReport {
        let what = "\(name) cannot be released from \(interface.name)"
        return try repeating(what) { () throws(XDPError) -> ChangeReport? in
            guard let base = try activeChain(what) else {
                throw XDPError(.refused, what, because: "nothing is loaded on \(interface.name)")
            }
            if base.manifest.isClosed {
                try finishClosing(base.attached)
                return nil
            }
            return try release(name, from: base, for: unloadingOthers ? .itsOwner : .itsOwnerIfAlone, what)
        }
    }

    /// Why an adopted program is given back.
    enum ReleaseReason {
        /// The owner shall have it back, whoever else is in the chain.
        case itsOwner
        case itsOwnerIfAlone
        /// It was there for taps, and they are over.
        case endOfTaps
    }

    /// One try.
    ///
    /// - Returns: nil if somebody else was faster.
    func release(
        _ name: String, from base: ActiveChain, for reason: ReleaseReason, _ what: String
    ) throws(XDPError) -> ChangeReport? {
        var chain = base.manifest.chain
        var member: Member?
        try chain.update(name) { member = $0 }
        guard let separate = member?.separate, member?.adopted != nil else {
            throw XDPError(
                .refused, what, because: "xdpctl loaded it, nobody else",
                remedy: "`xdpctl unload \(interface.name) \(name)` takes it off")
        }
        let others = chain.members.map(\.name).filter { $0 != name }
        guard others.isEmpty || reason == .itsOwner else {
            throw XDPError(
                .refused, what,
                because:
                    "given back it is alone on the interface, and \(others.joined(separator: ", ")) would be gone",
                remedy: "Say --unload-others, or unload them first")
        }
        let former = base.manifest.programs.union([base.programID])
        do throws(BPFError) {
            let program = try Program(id: separate.programID)
            guard try base.attached.swap(to: program) == .swapped else { return nil }
        } catch {
            throw XDPError(error, during: what)
        }
        // From here on it has happened; what is left to do is tidying up.
        let ended = reason == .endOfTaps ? [] : chain.taps.filter { $0.hasOwner() }
        var notes = ended.map { "\($0.name) ended with the chain" }
        if let pins = try? PinKeeper() {
            pins.sweep(givenUp: base.manifest.programArrays, by: former)
            if let link = base.linkID {
                let path = pins.linkPath(link)
                switch LinkHolders.look(for: link, besides: path) {
                case .others: pins.giveUp(linkID: link)
                case .nobody:
                    notes.append(
                        "nobody else holds link \(link) any more, so it stays pinned at \(path); removing that "
                            + "takes \(name) off")
                case .unknown:
                    notes.append(
                        "not all processes and pins could be looked at, and none of the others holds link "
                            + "\(link), so it stays pinned at \(path); removing that takes \(name) off if nobody "
                            + "holds it")
                }
            }
        }
        return ChangeReport(
            outcome: .released, interface: interface.name, mode: base.mode, fellBack: false,
            chain: Chain(counters: chain.counters), generation: base.manifest.generation, retries: 0,
            notes: notes)
    }

    private func notes(_ foreign: ForeignProgram) -> [String] {
        guard let link = foreign.linkID else {
            return [
                "it had been attached by netlink, and so is the chain: whoever may configure the interface can "
                    + "take it off"
            ]
        }
        return [
            "link \(link) stays its owner's: if the owner updates it, the new program takes the chain's place; if "
                + "the owner only ends, the chain stays"
        ]
    }

    /// What is attached, if it is somebody else's.
    private func foreignProgram(_ what: String) throws(XDPError) -> ForeignProgram {
        guard let current = try interface.refreshed() else { throw Self.gone(what, interface.name) }
        let foreign: ForeignProgram
        switch try current.occupant() {
        case .foreign(let found): foreign = found
        case .none:
            throw XDPError(
                .refused, what, because: "nothing is attached",
                remedy: "`xdpctl load \(interface.name) OBJECT` loads a program as a member")
        case .chain(let active):
            let names = active.manifest.chain.members.map(\.name).joined(separator: ", ")
            throw XDPError(
                .refused, what, because: "it is a chain already, of \(names)",
                remedy: "`xdpctl load \(interface.name) OBJECT` adds a member")
        case .unreadable:
            _ = try activeChain(what)
            throw XDPError(.refused, what, because: "the chain there cannot be read")
        }
        guard foreign.mode != .offload else {
            throw XDPError(
                .refused, what,
                because:
                    "program \(foreign.information.id) runs on the card, and a chain runs in this machine",
                remedy: "Unload it with its own loader, and load its object with --mode offload")
        }
        return foreign
    }

    private enum Holder {
        /// A link, or netlink where there is none.
        case found(UInt32?)
        /// Another program is attached by now, or none.
        case overtaken
    }

    private func holder(of foreign: ForeignProgram, _ what: String) throws(XDPError) -> Holder {
        guard try HookHolder.isHeldByLink(interface, mode: foreign.mode) else { return .found(nil) }
        let id = foreign.information.id
        let links: [UInt32]
        do throws(BPFError) {
            links = try HookHolder.links(holding: id, on: interface.index)
        } catch {
            throw XDPError(error, during: what)
        }
        guard links.count <= 1 else {
            throw XDPError(
                .refused, what,
                because: "links \(links.map(String.init).joined(separator: " and ")) hold program \(id) on "
                    + "interfaces of number \(interface.index) in different network namespaces, and the kernel does "
                    + "not tell which is which",
                remedy: "Have the owner attach a program of its own to one of them")
        }
        guard let link = links.first else {
            // Its owner may have put another program there meanwhile, or detached it.
            let now = try interface.refreshed()?.link.attachments.map(\.programID) ?? []
            guard now.contains(id) else { return .overtaken }
            throw XDPError(
                .failed, what,
                because: "a link holds the interface, and it is not among those that can be listed",
                remedy: Capability.remedy(for: [.systemAdministration]) ?? "Try again")
        }
        return .found(link)
    }
}
