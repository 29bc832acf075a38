// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

/// One try to replace one chain by another.
struct ChainChange {
    let interface: Interface
    /// What is attached; nil for nothing.
    let base: ActiveChain?
    let maps: MapPool
    let what: String

    /// What the kernel answered to a swap.
    enum Swap: Equatable {
        case swapped
        /// Another program is active by now, or none.
        case overtaken
    }

    /// Returns nil if somebody else was faster; then nothing was changed.
    mutating func carryOut(
        _ wanted: Chain, mode: ModeRequest, notes: [String]
    ) throws(XDPError) -> ChangeReport? {
        var chain = wanted
        var mode = mode
        if let base { mode = ModeRequest(rawValue: base.mode.rawValue) ?? .native }
        if mode == .offload { chain.counters = .off }
        var manifest = base?.manifest ?? Manifest(chain: chain, mode: .native)
        do throws(BPFError) {
            manifest.counterPages = try assignCounters(&chain, pages: manifest.counterPages)
        } catch {
            throw XDPError(error, during: what)
        }
        let counting = Linker.Counting(mode: chain.counters, pageIDs: manifest.counterPages)
        var loader = ChainLoader(maps: maps)
        loader.offloadInterface = mode == .offload ? interface.index : 0
        let loaded = try loader.load(chain, counting: counting) { linked throws(XDPError) in
            try checkFrags(linked, chain)
        }
        for (place, composition) in loaded.linked.compositions.enumerated() {
            try chain.update(chain.members[place].name) { $0.composition = composition }
        }
        manifest.chain = chain
        manifest.generation += 1
        manifest.supportsFrags = loaded.linked.supportsFrags
        manifest.frame = UInt32(loaded.linked.frame)
        manifest.verifiedInstructions = UInt32(clamping: loaded.statistics?.processedInstructions ?? 0)
        let program = loaded.program
        guard let attached = try attach(program, &manifest, mode, bound: Set(loaded.linked.mapIDs)) else {
            return nil
        }
        return ChangeReport(
            outcome: base == nil ? .attached : .changed, interface: interface.name, mode: attached,
            fellBack: manifest.fellBack, chain: chain, generation: manifest.generation, retries: 0,
            notes: notes + remarks(on: chain, loaded.linked))
    }

    // MARK: Counters

    /// Gives every new member a place in the counters, and makes pages as needed. A place that somebody had
    /// before keeps its numbers; they are remembered and subtracted.
    private func assignCounters(_ chain: inout Chain, pages: [UInt32]) throws(BPFError) -> [UInt32] {
        var pages = pages
        guard chain.counters != .off else { return pages }
        var taken = Set(chain.members.map(\.counterSlot).filter { $0 >= 0 })
        let newcomers = chain.members.filter { $0.counterSlot < 0 }.map(\.name)
        let reader = newcomers.isEmpty ? nil : try CounterReader(pageIDs: pages)
        for name in newcomers {
            let slot = (0...).first { !taken.contains($0) } ?? 0
            taken.insert(slot)
            let baseline = reader?.value(ofSlot: slot) ?? MemberCounters()
            try? chain.update(name) {
                $0.counterSlot = slot
                $0.counterBaseline = baseline
            }
        }
        while let last = taken.max(), pages.count <= last / CounterPage.members {
            let page = try MapHandle(CounterPage.definition)
            maps.add([page])
            pages.append(page.id)
        }
        return pages
    }

    // MARK: Attaching

    private func attach(
        _ program: borrowing Program, _ manifest: inout Manifest, _ mode: ModeRequest, bound: Set<UInt32>
    ) throws(XDPError) -> AttachMode? {
        let chain = manifest.chain
        let arrays = Set(chain.members.flatMap(\.programArrayIDs))
        let pins: PinKeeper
        var pinnedArrays: [UInt32] = []
        var pinnedMaps: [String] = []
        do throws(BPFError) {
            for id in Set(chain.members.flatMap(\.mapIDs) + manifest.counterPages).subtracting(bound).sorted()
            {
                try program.bind(maps.handle(id).map)
            }
            pins = try PinKeeper()
            pinnedArrays = try pins.keepArrays(arrays, from: maps)
        } catch {
            throw XDPError(error, during: what)
        }
        defer {
            // Emptied on success.
            pins.releaseArrays(pinnedArrays)
            for path in pinnedMaps { try? BPFFileSystem.unpin(path) }
        }
        do throws(BPFError) {
            pinnedMaps = try pinMaps(of: chain)
        } catch {
            throw XDPError(error, during: what)
        }
        let attached: AttachMode?
        if let base {
            attached = try exchange(program, manifest, for: base, pins)
        } else {
            pins.sweep(givenUp: [])
            attached = try create(program, &manifest, mode, pins)
        }
        guard let attached else { return nil }
        // From here on the change has happened: nothing may be taken back, nothing may fail.
        pinnedArrays = []
        pinnedMaps = []
        // Whoever swept meanwhile did not know the arrays yet.
        _ = try? pins.keepArrays(arrays, from: maps)
        let givenUp = Set(base?.manifest.chain.members.flatMap(\.programArrayIDs) ?? []).subtracting(arrays)
        if !givenUp.isEmpty { pins.sweep(givenUp: givenUp) }
        return attached
    }

    /// Puts the program in the place of the one that is attached.
    private func exchange(
        _ program: borrowing Program, _ manifest: Manifest, for base: ActiveChain, _ pins: PinKeeper
    ) throws(XDPError) -> AttachMode? {
        do throws(BPFError) {
            try bindManifest(manifest, to: program)
            // Whoever made the link may not have pinned it yet, and may be killed before it does.
            if let id = base.linkID, let link = try XDPLink.open(id: id) { try pins.keep(link, id: id) }
            return try Self.swap(to: program, on: base) == .swapped ? base.mode : nil
        } catch {
            throw XDPError(error, during: what)
        }
    }

    /// The manifest comes last among the maps of a program, where readers look first.
    private func bindManifest(_ manifest: Manifest, to program: borrowing Program) throws(BPFError) {
        let map = try ManifestStore.save(manifest)
        try program.bind(map.map)
    }

    /// Makes the link of a chain that is new on its interface.
    private func create(
        _ program: borrowing Program, _ manifest: inout Manifest, _ mode: ModeRequest, _ pins: PinKeeper
    ) throws(XDPError) -> AttachMode? {
        let modes: [AttachMode]
        switch mode {
        case .native: modes = [.native]
        case .generic: modes = [.generic]
        case .offload: modes = [.offload]
        case .auto: modes = [.native, .generic]
        }
        for attempted in modes {
            manifest.mode = attempted
            manifest.fellBack = attempted != modes.first
            do throws(BPFError) {
                try bindManifest(manifest, to: program)
            } catch {
                throw XDPError(error, during: what)
            }
            let failure: Errno
            switch try createLink(program, attempted, pins) {
            case .success: return attempted
            case .failure(let errno): failure = errno
            }
            if failure == .notSupportedOnSocket, attempted != modes.last { continue }
            guard let error = try explain(failure, manifest.supportsFrags, attempted) else { return nil }
            throw error
        }
        return nil
    }

    /// Makes a link and pins it; if that fails the link ends with its last descriptor, and the interface is as
    /// it was.
    private func createLink(
        _ program: borrowing Program, _ mode: AttachMode, _ pins: PinKeeper
    ) throws(XDPError) -> Result<Void, Errno> {
        let link: XDPLink
        do throws(Errno) {
            link = try XDPLink(attaching: program, toInterface: interface.index, mode: mode)
        } catch {
            return .failure(error)
        }
        do throws(BPFError) {
            guard let id = try link.information()?.id else {
                throw BPFError("read what the kernel says of the new link")
            }
            try pins.keep(link, id: id)
        } catch {
            throw XDPError(error, during: what)
        }
        return .success(())
    }

    /// Exchanges the program of a link if the expected one is still active.
    static func swap(to program: borrowing Program, on base: ActiveChain) throws(BPFError) -> Swap {
        guard let id = base.linkID, let link = try XDPLink.open(id: id) else { return .overtaken }
        do throws(Errno) {
            try link.update(to: program, expecting: base.program)
            return .swapped
        } catch {
            // EPERM says that another program is active, or that a capability is missing; ENOLINK that the
            // link lost its interface.
            let now = try link.information()
            let isOther = now?.programID != base.programID || now?.interfaceIndex == 0
            if isOther || error == Errno(rawValue: 67) { return .overtaken }
            throw BPFError(
                "exchange the chain", errno: error,
                kernelMessage: error == .outOfRange
                    ? "the interface's MTU needs packets of several buffers, which a member does not handle"
                    : nil,
                remedy: error == .notPermitted
                    ? Capability.remedy(for: [.networkAdministration, .bpf]) : nil)
        }
    }

    /// Why a link could not be made; nil if somebody else took the hook meanwhile.
    private func explain(
        _ errno: Errno, _ supportsFrags: Bool, _ mode: AttachMode
    ) throws(XDPError) -> XDPError? {
        guard let now = try interface.refreshed() else { return ChainEditor.gone(what, interface.name) }
        if errno == .resourceBusy || errno == .fileExists {
            if case .none = try now.occupant() {} else { return nil }
        }
        let said = AttachExplanation.extack(supportsFrags: supportsFrags, interface.index, mode)
        return AttachExplanation(errno: errno, kernelMessage: said, mode: mode, interface: now).error(what)
    }

    // MARK: Remarks

    private func pinMaps(of chain: Chain) throws(BPFError) -> [String] {
        var made: [String] = []
        do throws(BPFError) {
            for member in chain.members {
                for pin in member.pins where !BPFFileSystem.exists(pin.path) {
                    guard let place = member.unit.maps.firstIndex(where: { $0.name == pin.map }),
                        base?.manifest.chain[member.name]?.pins.contains(pin) != true
                    else { continue }
                    if let slash = pin.path.lastIndex(of: "/") {
                        try BPFFileSystem.makeDirectories(String(pin.path[..<slash]))
                    }
                    try maps.handle(member.mapIDs[place]).map.pin(at: pin.path)
                    made.append(pin.path)
                }
            }
        } catch {
            for path in made { try? BPFFileSystem.unpin(path) }
            throw error
        }
        return made
    }

    /// A program array takes only programs that agree in the handling of several buffers with the first one
    /// that used it; a chain that changes in that cannot keep its arrays.
    private func checkFrags(_ linked: LinkedProgram, _ chain: Chain) throws(XDPError) {
        guard let base, base.manifest.supportsFrags != linked.supportsFrags else { return }
        let old = Set(base.manifest.chain.members.flatMap(\.programArrayIDs))
        guard let member = chain.members.first(where: { !old.isDisjoint(with: $0.programArrayIDs) }) else {
            return
        }
        let other = chain.members.first { $0.unit.supportsFrags != base.manifest.supportsFrags }
        throw XDPError(
            .refused, what,
            because:
                "\(member.name) does tail calls in a chain that \(base.manifest.supportsFrags ? "handles" : "does not handle") "
                + "packets of several buffers (xdp.frags), and \(other?.name ?? "another member") would change that",
            remedy: "Build both alike, as xdp.frags or not")
    }

    private func remarks(on chain: Chain, _ linked: LinkedProgram) -> [String] {
        var notes: [String] = []
        for member in chain.members {
            let old = base?.manifest.chain[member.name]?.composition
            guard old != member.composition else { continue }
            switch member.composition.mode {
            case .inline: break
            case .call:
                notes.append("\(member.name) is a function of its own, +8 ns: \(member.composition.reason)")
            case .isolated:
                notes.append(
                    "\(member.name) has a program of its own, +9 ns: \(member.composition.reason)")
            case .adopted:
                notes.append("\(member.name) runs as its owner loaded it, +9 ns")
            case .unreachable: notes.append("\(member.name) sees no packets: \(member.composition.reason)")
            }
        }
        let without = chain.members.filter { !$0.unit.supportsFrags }
        if let first = without.first, without.count < chain.members.count,
            base?.manifest.supportsFrags != linked.supportsFrags
                || base?.manifest.chain.members.count != chain.members.count
        {
            notes.append(
                "the chain does not handle packets of several buffers (xdp.frags), because \(first.name) does not"
            )
        }
        return notes
    }
}
