// SPDX-License-Identifier: Apache-2.0
import BPF

extension ChainEditor {
    /// Exchanges the program of a member that has its own, in its array: the chain stays as it is, and the next
    /// packet meets the new code.
    ///
    /// - Returns: nil if this is no such member, or if more than its program has to change.
    func exchangeAlone(
        _ name: String, with request: LoadRequest, _ what: String
    ) throws(XDPError) -> ChangeReport? {
        guard let base = try activeChain(what), !base.manifest.isClosed,
            let current = base.manifest.chain[name], let separate = current.separate,
            current.adopted == nil, !base.manifest.chain.hasLeftovers,
            request.edges.allSatisfy({ current.edges[$0.key] == $0.value })
        else { return nil }
        var builder = MemberBuilder()
        builder.othersSupportFrags = separate.supportsFrags
        builder.attachType = base.manifest.attachType
        let built = try builder.build(request, replacing: current)
        // A chain for packets of several buffers would change as a whole.
        guard built.member.unit.supportsFrags || !separate.supportsFrags,
            built.member.settings.isIsolated == current.settings.isIsolated
        else { return nil }
        var wanted = base.manifest.chain
        try wanted.update(name) { $0 = built.member }
        let checks = try preflight(
            wanted, since: base.manifest.chain, mode: base.mode, request: nil, PreflightMemory(), what)
        let maps = MapPool()
        maps.add(built.maps)
        let loader = SeparateLoader(
            maps: maps, attachType: base.manifest.attachType, supportsFrags: separate.supportsFrags)
        let program = try loader.load(built.member)
        withExtendedLifetime(built) {}
        var report = try exchange(
            program, of: built.member, for: current, in: base, maps, what, notes: built.notes)
        report?.checks = checks
        return report
    }

    private func exchange(
        _ program: borrowing Program, of member: Member, for current: Member, in base: ActiveChain,
        _ maps: MapPool, _ what: String, notes: [String]
    ) throws(XDPError) -> ChangeReport? {
        guard let separate = current.separate else { return nil }
        var chain = base.manifest.chain
        let id: UInt32
        let pins: PinKeeper
        var pinnedArrays: [UInt32] = []
        var pinnedMaps: [String] = []
        defer {
            // Emptied on success.
            if let pins = try? PinKeeper() { pins.releaseArrays(pinnedArrays) }
            for path in pinnedMaps { try? BPFFileSystem.unpin(path) }
        }
        do throws(BPFError) {
            id = try program.information().id
            pins = try PinKeeper()
            pinnedArrays = try pins.keepArrays(Set(member.programArrayIDs), from: maps)
            pinnedMaps = try MapPins(of: member, except: current.pins).make(from: maps)
            try BPFMap(id: separate.arrayID).setProgram(program, at: 0)
        } catch {
            throw XDPError(error, during: what)
        }
        pinnedArrays = []
        pinnedMaps = []
        // Somebody may have taken the array out of use in the meantime; then all is done again.
        guard isInUse(separate.arrayID, by: member.name) else { return nil }
        let givenUp = Set(current.programArrayIDs).subtracting(member.programArrayIDs)
            .subtracting([separate.arrayID])
        if !givenUp.isEmpty { pins.sweep(givenUp: givenUp, by: [separate.programID]) }
        try chain.update(member.name) { kept in
            var fresh = member
            fresh.composition = kept.composition
            fresh.separate = separate
            fresh.separate?.programID = id
            kept = fresh
        }
        return ChangeReport(
            outcome: .changed, interface: interface.name, mode: base.mode, fellBack: base.manifest.fellBack,
            chain: chain, generation: base.manifest.generation, retries: 0,
            notes: notes + ["\(member.name) was exchanged alone; the chain stayed as it is"])
    }

    /// Whether the chain that is active by now calls a member through an array.
    ///
    /// The program is exchanged when this is asked, so it may not fail: where the kernel does not answer, the
    /// exchange counts as done. Whoever took the array away looks into it afterwards.
    private func isInUse(_ arrayID: UInt32, by name: String) -> Bool {
        for _ in 0..<3 {
            do throws(XDPError) {
                return try activeChain(name)?.manifest.chain[name]?.separate?.arrayID == arrayID
            } catch {
                continue
            }
        }
        return true
    }

    /// Members whose programs were exchanged in arrays that a change just took out of use: the new arrays hold
    /// what was there before, and so do members that have none any more.
    static func exchanged(since base: Manifest, leftOutOf chain: Chain, _ maps: MapPool) -> [Member] {
        let moved = base.chain.members.filter { member in
            guard let old = member.separate, let new = chain[member.name] else { return false }
            return old.arrayID != new.separate?.arrayID
        }
        guard !moved.isEmpty else { return [] }
        var now = base
        do throws(BPFError) {
            try MemberRecord.refresh(&now)
        } catch {
            return []
        }
        return now.chain.members.filter { member in
            guard let old = moved.first(where: { $0.name == member.name })?.separate,
                let active = member.separate?.programID, active != 0, active != old.programID
            else { return false }
            for id in member.mapIDs { _ = try? maps.handle(id) }
            return true
        }
    }

    /// Brings such members into the chain that is active by now, unless it has newer ones.
    func bringIn(_ overlooked: [Member], _ maps: MapPool, _ what: String) throws(XDPError) -> ChangeReport {
        try repeating(what) { () throws(XDPError) in
            try attempt(what, nil, maps) { chain throws(XDPError) in
                for member in overlooked {
                    guard let current = chain[member.name], current.buildTime < member.buildTime else {
                        continue
                    }
                    try chain.update(member.name) { kept in
                        kept.takeCode(of: member)
                        kept.separate = nil
                    }
                }
                return []
            }
        }
    }
}
