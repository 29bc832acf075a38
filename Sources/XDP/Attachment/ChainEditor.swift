// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Changes what runs on an interface: reads the chain from the kernel, has it edited, links and loads the
/// new one, and swaps it in only if the old one is still active; otherwise everything is done again.
public struct ChainEditor: Sendable {
    public let interface: Interface
    /// Whether a change is made although a check before it finds an error; what was found is in the report.
    public var overridesChecks = false
    /// Whether changes are checked and then not made.
    var isRehearsal = false
    /// Whether a rehearsal also links the chain and shows it to the verifier.
    private var rehearsesLoading = false

    public init(_ interface: Interface) {
        self.interface = interface
    }

    /// Changes the chain.
    ///
    /// - Parameters:
    ///   - what: the change as a sentence that fails: "ids cannot be moved".
    ///   - mode: how to attach a new chain; an existing one keeps its mode.
    ///   - resources: maps that were made for the change; they must outlive it.
    ///   - checks: what the new chain is held against before it takes the place of the old one.
    ///   - edit: called once for each try, with the chain as it then is.
    public func change(
        _ what: String, mode: ModeRequest? = nil, resources: [MapHandle] = [],
        checks: ChangeChecks = .preflight, _ edit: (inout Chain) throws(XDPError) -> [String]
    ) throws(XDPError) -> ChangeReport {
        let maps = MapPool()
        maps.add(resources)
        let memory = checks == .preflight ? PreflightMemory() : nil
        return try repeating(what) { () throws(XDPError) in try attempt(what, mode, maps, memory, edit) }
    }

    /// Tries until nobody else is faster: nil says that somebody was.
    func repeating(
        _ what: String, _ attempt: () throws(XDPError) -> ChangeReport?
    ) throws(XDPError) -> ChangeReport {
        let deadline = time(nil) + 120
        var retries = 0
        while true {
            if var report = try attempt() {
                report.retries = retries
                return report
            }
            retries += 1
            guard time(nil) < deadline else {
                throw XDPError(
                    .failed, what, because: "others kept changing \(interface.name) for two minutes",
                    remedy: "Find out who does (xdpctl status), and try again")
            }
            // Two writers in step would overtake each other for long.
            if retries > 2 { usleep(UInt32.random(in: 0..<20_000)) }
        }
    }

    func attempt(
        _ what: String, _ mode: ModeRequest?, _ maps: MapPool, _ memory: PreflightMemory? = nil,
        _ edit: (inout Chain) throws(XDPError) -> [String]
    ) throws(XDPError) -> ChangeReport? {
        try attempt(from: activeChain(what), what, mode, maps, memory, edit)
    }

    /// What an edit is about; the other one stays as it is.
    enum Subject {
        case members, taps
    }

    /// - Parameter found: what is attached.
    func attempt(
        from found: ActiveChain?, _ what: String, _ mode: ModeRequest?, _ maps: MapPool,
        _ memory: PreflightMemory? = nil, of subject: Subject = .members,
        _ edit: (inout Chain) throws(XDPError) -> [String]
    ) throws(XDPError) -> ChangeReport? {
        var base = found
        if let closed = base, closed.manifest.isClosed {
            if !isRehearsal {
                try finishClosing(closed.attached)
                return nil
            }
            base = nil
        }
        let taps = base?.manifest.chain.taps.filter { $0.hasOwner() } ?? []
        // What a change would find once it had ended the loan.
        var foreign: ForeignProgram?
        if let lent = base, subject == .members, taps.isEmpty, !lent.manifest.chain.isMoreThanLent {
            // Captures that ended left it.
            if !isRehearsal {
                _ = try endLoan(of: lent, what)
                return nil
            }
            if case .foreign(let program) = Occupant.chain(lent).withoutLoan {
                foreign = program
            } else {
                base = nil
            }
        }
        if let base { try check(mode, against: base, what) }
        let former = base?.manifest.chain ?? Chain()
        var chain = former
        chain.taps = taps
        var notes = try edit(&chain)
        if let foreign, chain.loan != nil { throw Self.occupied(what, interface.name, foreign) }
        if subject == .members {
            chain.taps = taps
            // A chain without members is nothing that users know of.
            guard !chain.members.isEmpty || !former.members.isEmpty else {
                throw XDPError(.refused, what, because: "nothing is loaded on \(interface.name)")
            }
        }
        notes += chain.settleLoan(of: interface.name, in: base?.mode)
        if let base, chain == base.manifest.chain {
            return ChangeReport(
                outcome: .unchanged, interface: interface.name, mode: base.mode,
                fellBack: base.manifest.fellBack, chain: chain, generation: base.manifest.generation,
                retries: 0, notes: notes)
        }
        if chain.members.isEmpty, chain.taps.isEmpty {
            guard let base else {
                throw XDPError(.refused, what, because: "nothing is loaded on \(interface.name)")
            }
            return try close(base, what, notes)
        }
        var checks: [CheckFinding] = []
        if let memory {
            checks = try preflight(
                chain, since: base?.manifest.chain, mode: base?.mode, request: mode, memory, what)
        }
        if isRehearsal {
            if rehearsesLoading { try load(chain, base, mode, maps, what) }
            return rehearsed(chain, base, notes, checks)
        }
        var change = ChainChange(
            interface: interface, active: base?.attached, base: base?.manifest, maps: maps, what: what)
        let attachType = base?.manifest.attachType ?? .xdp
        var report = try change.carryOut(
            chain, mode: mode ?? .native, attachType: attachType, notes: notes)
        report?.checks = checks
        if report != nil, !change.overlooked.isEmpty { return try bringIn(change.overlooked, maps, what) }
        return report
    }

    /// Only checks changes from here on, and does not make them.
    ///
    /// - Parameter loading: also has the verifier take the chain, which then goes again.
    public mutating func rehearse(loading: Bool) {
        isRehearsal = true
        rehearsesLoading = loading
    }

    /// Makes the programs of a chain and lets them go.
    private func load(
        _ chain: Chain, _ base: ActiveChain?, _ mode: ModeRequest?, _ maps: MapPool, _ what: String
    ) throws(XDPError) {
        let present = base.flatMap { ModeRequest(rawValue: $0.mode.rawValue) }
        var builder = try ChainBuilder(
            chain, on: interface, base: base?.manifest, mode: present ?? mode ?? .native,
            attachType: base?.manifest.attachType ?? .xdp, maps: maps, what: what)
        _ = try builder.build()
    }

    /// The chain that is attached; nil if nothing is.
    func activeChain(_ what: String) throws(XDPError) -> ActiveChain? {
        guard let current = try interface.refreshed() else { throw Self.gone(what, interface.name) }
        switch try current.occupant() {
        case .none: return nil
        case .chain(let active): return active
        case .foreign(let program): throw Self.occupied(what, interface.name, program)
        case .unreadable(_, .newer(let version)):
            throw XDPError(
                .refused, what,
                because:
                    "\(interface.name) runs a chain of format \(version), and this xdpctl knows formats up to "
                    + "\(Manifest.version)",
                remedy: "Use the newer xdpctl that made it")
        case .unreadable:
            throw XDPError(
                .refused, what, because: "\(interface.name) runs a chain whose manifest is damaged",
                remedy:
                    "Take it off with `ip link` or by removing its pin below /sys/fs/bpf/xdpctl/, and load "
                    + "the members again")
        }
    }

    static func gone(_ what: String, _ name: String) -> XDPError {
        XDPError(
            .failed, what,
            because: "interface \(name) is gone: deleted, or moved to another network namespace")
    }

    static func occupied(_ what: String, _ name: String, _ program: ForeignProgram) -> XDPError {
        let information = program.information
        let holder = program.linkID.map { "held by link \($0)" } ?? "attached by netlink"
        let remedy =
            program.mode == .offload
            ? "Take it off with `ip link set dev \(name) xdpoffload off`, then load its object as a member"
            : "`xdpctl adopt \(name)` makes it a member, and others can join"
        return XDPError(
            .refused, what,
            because: "\(name) already runs program \(information.id) "
                + "(\(information.name.isEmpty ? "without a name" : information.name), tag \(information.tag), "
                + "\(program.mode) mode, \(holder)), which xdpctl did not load",
            remedy: remedy)
    }

    private func check(_ mode: ModeRequest?, against base: ActiveChain, _ what: String) throws(XDPError) {
        guard let mode, mode != .auto, mode.rawValue != base.mode.rawValue else { return }
        throw XDPError(
            .refused, what,
            because:
                "the chain on \(interface.name) is attached in \(base.mode) mode, and an interface has one mode",
            remedy: base.manifest.chain.loan == nil
                ? "Leave --mode away to join it, or unload all members first"
                : "Leave --mode away to join it, or end the captures that it is there for")
    }

    // MARK: The end of a chain

    /// Swaps in an empty chain that nobody may join, then takes it off: so the member that somebody adds at
    /// the same time is never taken off with the last one.
    func close(_ base: ActiveChain, _ what: String, _ notes: [String]) throws(XDPError) -> ChangeReport? {
        var manifest = base.manifest
        manifest.isClosed = true
        manifest.generation += 1
        let arrays = manifest.programArrays
        let former = manifest.programs.union([base.programID])
        manifest.chain = Chain(counters: manifest.chain.counters)
        manifest.counterPages = []
        manifest.segmentArray = 0
        let closed: AttachedProgram
        do throws(BPFError) {
            var image = ProgramImage.passing("xdpctl_closed")
            image.supportsFrags = manifest.supportsFrags
            image.attachType = manifest.attachType
            image.offloadInterface = base.mode == .offload ? interface.index : 0
            let program = try Program.load(image).take()
            let map = try ManifestStore.save(manifest)
            try program.bind(map.map)
            guard try base.attached.swap(to: program) == .swapped else { return nil }
            closed = AttachedProgram(
                id: try program.information().id, program: program, mode: base.mode, linkID: base.linkID,
                interface: interface.index)
        } catch {
            throw XDPError(error, during: what)
        }
        try finishClosing(closed, arrays: arrays, former: former)
        return ChangeReport(
            outcome: .detached, interface: interface.name, mode: base.mode, fellBack: false,
            chain: manifest.chain, generation: manifest.generation, retries: 0, notes: notes)
    }

    /// Takes a closed chain off its interface; anybody may, and more than one may at once.
    func finishClosing(
        _ closed: AttachedProgram, arrays: Set<UInt32> = [], former: Set<UInt32> = []
    ) throws(XDPError) {
        do throws(BPFError) {
            try closed.detach()
        } catch {
            throw XDPError(error, during: "The empty chain cannot be taken off \(interface.name)")
        }
        // The chain is off; a pin that cannot be removed now is swept by a later change.
        guard let pins = try? PinKeeper() else { return }
        if let id = closed.linkID { try? pins.release(linkID: id) }
        pins.sweep(givenUp: arrays, by: former)
    }
}
