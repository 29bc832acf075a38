// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

/// One try to put a chain in the place of what is on an interface.
struct ChainChange {
    let interface: Interface
    /// What is attached; nil for nothing.
    let active: AttachedProgram?
    /// The chain that is attached, if it is one.
    let base: Manifest?
    let maps: MapPool
    let what: String
    /// Members whose own programs were exchanged in arrays that this change was taking out of use; their maps
    /// are in the pool.
    private(set) var overlooked: [Member] = []
    /// Whether the kernel refused the swap because what is attached was loaded for something else (Linux 5.10).
    private(set) var isUnlike = false

    init(
        interface: Interface, active: AttachedProgram?, base: Manifest?, maps: MapPool, what: String
    ) {
        self.interface = interface
        self.active = active
        self.base = base
        self.maps = maps
        self.what = what
    }

    /// Returns nil if somebody else was faster; then nothing was changed.
    mutating func carryOut(
        _ wanted: Chain, mode: ModeRequest, attachType: AttachType, notes: [String]
    ) throws(XDPError) -> ChangeReport? {
        var chain = wanted
        var mode = mode
        if let active { mode = ModeRequest(rawValue: active.mode.rawValue) ?? .native }
        if mode == .offload { chain.counters = .off }
        var builder = try ChainBuilder(
            chain, on: interface, base: base, mode: mode, attachType: attachType, maps: maps, what: what)
        let built = try builder.build()
        var manifest = base ?? Manifest(chain: built.chain, mode: active?.mode ?? .native)
        manifest.chain = built.chain
        manifest.counterPages = built.counterPages
        manifest.segmentArray = built.segmentArray
        manifest.attachType = built.attachType
        manifest.generation += 1
        manifest.supportsFrags = built.supportsFrags
        manifest.frame = built.frame
        manifest.verifiedInstructions = built.verifiedInstructions
        let remarks = ChangeRemarks(base: base, manifest: manifest).notes
        let bound = built.boundMaps
        let program = built.take()
        guard let attached = try attach(program, &manifest, mode, bound: bound) else { return nil }
        return ChangeReport(
            outcome: active == nil ? .attached : base == nil ? .adopted : .changed, interface: interface.name,
            mode: attached, fellBack: manifest.fellBack, chain: manifest.chain,
            generation: manifest.generation, retries: 0, notes: notes + remarks)
    }

    // MARK: Attaching

    private mutating func attach(
        _ program: borrowing Program, _ manifest: inout Manifest, _ mode: ModeRequest, bound: Set<UInt32>
    ) throws(XDPError) -> AttachMode? {
        let chain = manifest.chain
        let arrays = manifest.programArrays
        let pins: PinKeeper
        var pinnedArrays: [UInt32] = []
        var pinnedMaps: [String] = []
        do throws(BPFError) {
            let all = Set(
                chain.members.flatMap(\.mapIDs) + chain.taps.flatMap(\.mapIDs) + manifest.counterPages
            ).union(arrays)
            for id in all.subtracting(bound).sorted() {
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
        if let active {
            attached = try exchange(program, manifest, for: active, pins)
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
        // Before the old arrays are emptied, and with them what was put there meanwhile.
        if let base { overlooked = ChainEditor.exchanged(since: base, leftOutOf: chain, maps) }
        let givenUp = (base?.programArrays ?? []).subtracting(arrays)
        if !givenUp.isEmpty, let base, let active {
            pins.sweep(givenUp: givenUp, by: base.programs.union([active.id]))
        }
        return attached
    }

    /// Puts the program in the place of the one that is attached.
    private mutating func exchange(
        _ program: borrowing Program, _ manifest: Manifest, for active: AttachedProgram, _ pins: PinKeeper
    ) throws(XDPError) -> AttachMode? {
        var pinned: UInt32?
        do throws(BPFError) {
            try bindManifest(manifest, to: program)
            // Whoever made the link may not have pinned it yet, and may end before it does.
            if let id = active.linkID, let link = try XDPLink.open(id: id), try pins.keep(link, id: id) {
                pinned = id
            }
            if try active.swap(to: program) == .swapped {
                if let id = active.linkID { pins.keepAfterSwap(linkID: id) }
                return active.mode
            }
        } catch {
            if base == nil, let pinned { pins.giveUp(linkID: pinned) }
            isUnlike = base == nil && active.linkID != nil && error.errno == .invalidArgument
            if isUnlike { return nil }
            throw XDPError(error, during: what)
        }
        // Somebody else's link is not to be kept if it does not hold a chain.
        if base == nil, let pinned { pins.giveUp(linkID: pinned) }
        return nil
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

    // MARK: Pins for the user

    private func pinMaps(of chain: Chain) throws(BPFError) -> [String] {
        var made: [String] = []
        do throws(BPFError) {
            for member in chain.members {
                made += try MapPins(of: member, except: base?.chain[member.name]?.pins ?? []).make(from: maps)
            }
        } catch {
            for path in made { try? BPFFileSystem.unpin(path) }
            throw error
        }
        return made
    }
}
