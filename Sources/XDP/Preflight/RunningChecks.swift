// SPDX-License-Identifier: Apache-2.0
import BPF

/// What runs on an interface, held against what the interface gives: the checks of a change, of everything that is there
/// already. It says what can go wrong, not what does.
public struct RunningChecks: Sendable, Hashable {
    /// What a member can do to packets.
    public struct Member: Sendable, Hashable {
        public var name: String
        /// The verdicts of it that are the packet's, because they lead to no other member; empty where no packet gets to
        /// it.
        public var ends: Set<Verdict>
        /// nil where its instructions cannot be read.
        public var analysis: ProgramAnalysis?
        public var redirects: [Redirect]

        public init(
            name: String, ends: Set<Verdict>, analysis: ProgramAnalysis? = nil, redirects: [Redirect] = []
        ) {
            self.name = name
            self.ends = ends
            self.analysis = analysis
            self.redirects = redirects
        }
    }

    /// A redirect that a member may ask for, and what it leads to now.
    public struct Redirect: Sendable, Hashable {
        /// The kernel's id of the map; nil for redirects to an interface by its index, and where it is not known.
        public var mapID: UInt32?
        public var mapName: String
        /// nil where there is no map.
        public var mapType: MapType?
        /// Whether the map has an entry; nil where that cannot be seen.
        public var hasEntries: Bool?
        /// The indices of the interfaces that it is known to lead to.
        public var interfaces: Set<UInt32>
        /// What the packet gets where the map has no entry; nil where that is not known, or there is no map.
        public var fallback: Set<Verdict>?
        /// Source lines, as far as they are known.
        public var places: [ProgramAnalysis.Place]

        public init(
            mapID: UInt32? = nil, mapName: String = "", mapType: MapType? = nil, hasEntries: Bool? = nil,
            interfaces: Set<UInt32> = [], fallback: Set<Verdict>? = nil, places: [ProgramAnalysis.Place] = []
        ) {
            self.mapID = mapID
            self.mapName = mapName
            self.mapType = mapType
            self.hasEntries = hasEntries
            self.interfaces = interfaces
            self.fallback = fallback
            self.places = places
        }

        /// Whether it leads to AF_XDP sockets.
        public var isToSockets: Bool { mapType == .socketMap }
    }

    /// In the order of the chain.
    public let members: [Member]
    /// The worst first.
    public let findings: [CheckFinding]

    /// Of a chain.
    public init(of active: ActiveChain, on interface: Interface) throws(XDPError) {
        try self.init(active.manifest.chain, on: interface, mode: active.mode)
    }

    /// Of a program that somebody else attached. Whether it takes packets of several buffers is not to be seen; nothing is
    /// concluded from that.
    public init(of foreign: ForeignProgram, on interface: Interface) throws(XDPError) {
        let name = foreign.information.name
        let unit = Unit(program: name, section: "", license: "", supportsFrags: false, instructions: [])
        var member = XDP.Member(name: name, origin: "", digest: [], unit: unit, mapIDs: [])
        member.separate = SeparateProgram(
            programID: foreign.information.id, arrayID: 0, supportsFrags: false, reason: "")
        member.adopted = AdoptedProgram(
            foreign.information, linkID: foreign.linkID, attachType: .xdp)
        try self.init(Chain(members: [member]), on: interface, mode: foreign.mode)
    }

    private init(_ chain: Chain, on interface: Interface, mode: AttachMode) throws(XDPError) {
        let memory = PreflightMemory()
        var survey = PreflightSurvey(
            chain, since: nil, on: interface, mode: mode, request: nil, memory: memory)
        survey.examinesAll = true
        let subject = try survey.subjects()?.now
        findings = subject.map { Preflight.findings($0).map(\.finding) } ?? []
        let ends = try PreflightSurvey.ends(chain)
        members = chain.members.map { member in
            let code = memory.code(of: member)
            let seen = subject?.members.filter {
                $0.name == member.name || $0.name.hasPrefix("\(member.name) → ")
            }
            return Member(
                name: member.name, ends: ends[member.name] ?? [], analysis: code?.analysis,
                redirects: (seen ?? []).flatMap { part in
                    part.redirects.map {
                        Redirect($0, in: part, mapIDs: part.name == member.name ? code?.mapIDs : nil)
                    }
                })
        }
    }
}

extension RunningChecks.Redirect {
    init(
        _ redirect: ProgramAnalysis.Redirect, in member: PreflightSubject.Member, mapIDs: [UInt32]?
    ) {
        self.init(fallback: redirect.fallback, places: redirect.places)
        interfaces = Set(RedirectTargetRule.uses(of: redirect, in: member).map(\.index))
        guard case .map(let place) = redirect.target else { return }
        if let ids = mapIDs, ids.indices.contains(place) { mapID = ids[place] }
        guard let map = member.maps[place] else { return }
        mapName = map.name
        mapType = map.type
        if case .entries(let entries) = map.content { hasEntries = !entries.isEmpty }
    }
}

extension RunningChecks.Member {
    /// Whether a verdict of the member can only be what a redirect gives where its map has no entry.
    public func givesOnlyByRedirect(_ verdict: Verdict) -> Bool {
        guard let analysis, let places = analysis.verdicts[verdict], !places.isEmpty else { return false }
        let redirects = redirects.filter { $0.fallback?.contains(verdict) ?? false }
        let calls = Set(redirects.flatMap { $0.places.map(\.instruction) })
        return !calls.isEmpty && places.allSatisfy { calls.contains($0.instruction) }
    }

    /// Where the member's code gives a verdict, in source lines: "fw.c:42: return XDP_DROP;".
    public func lines(giving verdict: Verdict) -> [String] {
        analysis?.verdicts[verdict]?.evidence(in: name) ?? []
    }

    /// Where the member's code may give what is no verdict.
    public var linesOfOtherCodes: [String] {
        analysis?.otherCodes.evidence(in: name) ?? []
    }
}

extension RunningChecks.Redirect {
    /// Where it is asked for, in source lines.
    public func lines(in member: String) -> [String] { places.evidence(in: member) }
}
