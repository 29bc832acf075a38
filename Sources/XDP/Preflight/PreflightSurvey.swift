// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink

/// Gathers what the rules look at: reads no more than the members that are new make necessary.
struct PreflightSurvey {
    let chain: Chain
    let base: Chain?
    let interface: Interface
    /// How the chain is attached; nil where it is to be attached.
    let mode: AttachMode?
    let request: ModeRequest?
    let memory: PreflightMemory
    /// Members that ran before without a chain.
    var running: Set<String> = []
    /// Whether also what the kernel would say itself is found out, because nobody will ask it.
    var isComplete = false
    /// Whether all members are looked at, as they run, rather than those that are new.
    var examinesAll = false

    init(
        _ chain: Chain, since base: Chain?, on interface: Interface, mode: AttachMode?, request: ModeRequest?,
        memory: PreflightMemory
    ) {
        self.chain = chain
        self.base = base
        self.interface = interface
        self.mode = mode
        self.request = mode == nil ? request ?? .native : nil
        self.memory = memory
    }

    /// The chain with the members whose code or way is new, and the same members as they were; nil where nothing
    /// is new.
    func subjects() throws(XDPError) -> (now: PreflightSubject, before: PreflightSubject?)? {
        let ends = try Self.ends(chain)
        let oldEnds = try base.map { chain throws(XDPError) in try Self.ends(chain) } ?? [:]
        let new = chain.members.filter { member in
            guard let end = ends[member.name] else { return false }
            guard !examinesAll, let old = base?[member.name], let oldEnd = oldEnds[member.name] else {
                return true
            }
            return !old.isSameCode(as: member) || oldEnd != end
        }
        guard !new.isEmpty else { return nil }
        var now = PreflightSubject(
            hook: PreflightSubject.Hook(
                name: interface.name, index: interface.index, kind: interface.link.kind,
                mtu: interface.link.mtu),
            mode: attachMode, request: request,
            members: new.flatMap { subjects($0, ends[$0.name] ?? [], mayBeFresh: !examinesAll) })
        // What cannot be read cannot be judged, and is not taken for harmless either.
        now.othersRedirect =
            new.contains { memory.code(of: $0) == nil } || othersRedirect(than: now.members)
        takeFrags(&now)
        try takeFeatures(&now)
        takeKernel(&now)
        now.pageSize = UInt32(clamping: sysconf(Int32(_SC_PAGESIZE)))
        var before: PreflightSubject?
        let known = new.flatMap { member -> [PreflightSubject.Member] in
            if running.contains(member.name) {
                return subjects(member, ends[member.name] ?? [], mayBeFresh: true)
            }
            guard let old = base?[member.name], let end = oldEnds[member.name] else { return [] }
            return subjects(old, end, mayBeFresh: false)
        }
        if !known.isEmpty {
            before = now
            before?.members = known
            before?.request = nil
        }
        return (now, before)
    }

    // MARK: The chain

    /// The mode that is expected; `auto` is decided once the features are known.
    private var attachMode: AttachMode {
        if let mode { return mode }
        switch request {
        case .generic: return .generic
        case .offload: return .offload
        default: return .native
        }
    }

    /// Which verdicts end the way of a packet, by member; those out of reach are left out.
    static func ends(_ chain: Chain) throws(XDPError) -> [String: Set<Verdict>] {
        let graph = try ChainGraph(chain)
        var ends: [String: Set<Verdict>] = [:]
        for node in graph.nodes {
            ends[chain.members[node.member].name] = Set(
                Verdict.allCases.filter { node.targets[$0] == nil })
        }
        return ends
    }

    /// A member, and behind it the programs that its tail calls lead to now: what they answer becomes the
    /// member's verdict. Empty where the member cannot be read.
    private func subjects(
        _ member: Member, _ ends: Set<Verdict>, mayBeFresh: Bool
    ) -> [PreflightSubject.Member] {
        guard let code = memory.code(of: member) else { return [] }
        let own = subject(
            named: member.name, code.analysis, ends, supportsFrags: member.unit.supportsFrags,
            MapContentReader.Maps(code, of: member, mayBeFresh: mayBeFresh))
        let callees = code.reach.programs.map { reached in
            subject(
                named: "\(member.name) → \(reached.code.name)", reached.analysis, ends, supportsFrags: nil,
                MapContentReader.Maps(reached.code))
        }
        return [own] + callees
    }

    private func subject(
        named name: String, _ analysis: ProgramAnalysis, _ ends: Set<Verdict>, supportsFrags: Bool?,
        _ maps: MapContentReader.Maps
    ) -> PreflightSubject.Member {
        var subject = PreflightSubject.Member(
            name: name, analysis: analysis, supportsFrags: supportsFrags, ends: ends)
        var places = analysis.tailCalls.compactMap(\.map)
        for redirect in subject.redirects {
            if case .map(let place) = redirect.target { places.append(place) }
        }
        let reader = MapContentReader(knownMaps: Set(base?.members.flatMap(\.mapIDs) ?? []))
        for place in Set(places) { subject.maps[place] = reader.map(at: place, in: maps) }
        return subject
    }

    /// Whether somebody else calls a redirect helper; asked only where it matters.
    private func othersRedirect(than members: [PreflightSubject.Member]) -> Bool {
        let names = Set(members.map(\.name))
        guard members.contains(where: { !$0.places(ending: .redirect).isEmpty }),
            members.allSatisfy({ $0.analysis.redirects.isEmpty })
        else { return false }
        return chain.members.contains { member in
            guard !names.contains(member.name) else { return false }
            guard let analysis = memory.code(of: member)?.analysis else { return true }
            return !analysis.redirects.isEmpty || !analysis.unknownCalls.isEmpty
                || !analysis.tailCalls.isEmpty
        }
    }

    private func takeFrags(_ subject: inout PreflightSubject) {
        let without = chain.members.filter { !$0.unit.supportsFrags }.map(\.name)
        subject.supportsFrags = without.isEmpty
        subject.withoutFrags = without.count < chain.members.count ? without : []
    }

    // MARK: Interfaces

    private func takeFeatures(_ subject: inout PreflightSubject) throws(XDPError) {
        let redirects = subject.members.contains { !$0.redirects.isEmpty }
        guard needsFeatures(subject) || redirects else { return }
        let found: (InterfaceFeatures?, [UInt32: PreflightSubject.Target])
        do throws(NetlinkError) {
            var reader = try FeatureReader()
            let features = needsFeatures(subject) ? try reader.features(of: interface.index) : nil
            found = (features, redirects ? try Self.targets(of: subject, &reader) : [:])
        } catch {
            // Nothing is refused for what cannot be known.
            return
        }
        subject.hook.features = found.0
        subject.targets = found.1
        if request == .auto, found.0?.native == .unsupported { subject.mode = .generic }
    }

    private func needsFeatures(_ subject: PreflightSubject) -> Bool {
        if isComplete || request == .generic { return true }
        guard subject.mode == .native else { return false }
        return subject.members.contains { member in
            !member.places(ending: .tx).isEmpty || !member.places(ending: .redirect).isEmpty
                || !member.analysis.adjustsMetadata.isEmpty
        }
    }

    private static func targets(
        of subject: PreflightSubject, _ reader: inout FeatureReader
    ) throws(NetlinkError) -> [UInt32: PreflightSubject.Target] {
        var targets: [UInt32: PreflightSubject.Target] = [:]
        for member in subject.members {
            for use in member.redirects.flatMap({ RedirectTargetRule.uses(of: $0, in: member) })
            where targets[use.index] == nil {
                do throws(NetlinkError) {
                    targets[use.index] = .interface(try reader.features(of: use.index))
                } catch {
                    // ENODEV; and index 0 is nobody's.
                    guard error.errno.rawValue == 19 || use.index == 0 else { throw error }
                    targets[use.index] = .missing
                }
            }
        }
        return targets
    }

    // MARK: The kernel

    /// Helpers that Linux 5.10 has are not asked for.
    private static let lastOldHelper: UInt32 = 155

    private func takeKernel(_ subject: inout PreflightSubject) {
        for id in Set(subject.members.flatMap { $0.analysis.helpers.map(\.id) }) where id > Self.lastOldHelper
        {
            subject.helpers[id] = KernelSurvey.support(forHelper: id)
        }
        guard subject.mode == .generic else { return }
        let types = subject.members.flatMap { member in
            member.redirects.compactMap { redirect -> MapType? in
                guard case .map(let place) = redirect.target else { return nil }
                return member.maps[place]?.type
            }
        }
        if types.contains(.processorMap) || types.contains(where: \.isDeviceMap) {
            subject.genericCPUMap = Self.genericCPUMap()
        }
    }

    /// Only the kernel's own type information tells, which takes a while to read.
    private static func genericCPUMap() -> Support {
        guard let types = KernelTypes() else {
            return .unknown("the kernel's type information cannot be read")
        }
        return types.function("cpu_map_generic_redirect") == nil ? .unsupported : .supported
    }
}

extension Member {
    /// Whether the instructions are the same, and the maps.
    fileprivate func isSameCode(as other: Member) -> Bool {
        digest == other.digest && buildTime == other.buildTime && mapIDs == other.mapIDs
            && separate?.programID == other.separate?.programID
            || unit == other.unit && mapIDs == other.mapIDs
    }
}
