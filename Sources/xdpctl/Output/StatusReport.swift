// SPDX-License-Identifier: Apache-2.0
import XDP

/// What `xdpctl status` says, as text or as JSON. Documentation/json.md describes the fields.
struct StatusReport: Encodable {
    var format = 1
    var interfaces: [InterfaceStatus]

    /// Reads what runs on the interfaces; only where there are programs of others, everything about those.
    init(_ interfaces: [Interface]) throws(XDPError) {
        var shown: [InterfaceStatus] = []
        for interface in interfaces { shown.append(try InterfaceStatus(interface)) }
        let survey = ForeignSurvey(of: shown.compactMap(\.foreign))
        for place in shown.indices { shown[place].add(survey) }
        self.interfaces = shown
    }
}

/// One interface.
struct InterfaceStatus: Encodable, Sendable {
    let name: String
    let index: UInt32
    /// "none", "chain", "foreign" or "unreadable".
    let state: String
    var mode: String?
    var chain: ChainStatus?
    var program: ProgramStatus?
    var unreadable: String?
    /// The program of others, of which more can be found out.
    private(set) var foreign: ForeignProgram?

    enum CodingKeys: CodingKey {
        case name, index, state, mode, chain, program, unreadable
    }

    /// Reads what runs on it, of a program of others only what the kernel says at once.
    init(_ interface: Interface) throws(XDPError) {
        name = interface.name
        index = interface.index
        switch try interface.occupant() {
        case .none: state = "none"
        case .chain(let active):
            state = "chain"
            mode = active.mode.rawValue
            chain = try ChainStatus(active)
        case .foreign(let foreign):
            state = "foreign"
            mode = foreign.mode.rawValue
            self.foreign = foreign
        case .unreadable(let foreign, let reason):
            state = "unreadable"
            mode = foreign.mode.rawValue
            self.foreign = foreign
            if case .newer(let version) = reason {
                unreadable = "its manifest has format \(version); use the newer xdpctl that made it"
            } else {
                unreadable = "its manifest is damaged"
            }
        }
    }

    /// Adds what was found out about the program of others, if there is one.
    mutating func add(_ survey: ForeignSurvey) {
        program = foreign.flatMap { foreign in
            survey[foreign].map { ProgramStatus(foreign, $0) }
        }
    }
}

/// A chain.
struct ChainStatus: Encodable, Sendable {
    let programID: UInt32
    let linkID: UInt32?
    let change: UInt64
    let closing: Bool
    let fellBackToGeneric: Bool
    let supportsFrags: Bool
    let counters: String
    let verifiedInstructions: UInt32
    let stackBytes: UInt32
    let members: [MemberStatus]

    enum CodingKeys: String, CodingKey {
        case programID = "programId"
        case linkID = "linkId"
        case change, closing, fellBackToGeneric, supportsFrags, counters, verifiedInstructions, stackBytes,
            members
    }

    init(_ active: ActiveChain) throws(XDPError) {
        let manifest = active.manifest
        programID = active.programID
        linkID = active.linkID
        change = manifest.generation
        closing = manifest.isClosed
        fellBackToGeneric = manifest.fellBack
        supportsFrags = manifest.supportsFrags
        counters = manifest.chain.counters.rawValue
        verifiedInstructions = manifest.verifiedInstructions
        stackBytes = manifest.frame
        let counted = try active.counters()
        members = manifest.chain.members.enumerated().map { place, member in
            MemberStatus(
                member, next: manifest.chain.members.dropFirst(place + 1).first?.name,
                counters: counted?[place])
        }
    }
}

/// A member of a chain.
struct MemberStatus: Encodable, Sendable {
    struct VerdictStatus: Encodable, Sendable {
        let verdict: String
        /// What was asked for: "next", "end" or a member.
        let edge: String
        /// Where that leads: a member, or "end".
        let leadsTo: String
        let packets: UInt64?
        let bytes: UInt64?
    }

    struct MapStatus: Encodable, Sendable {
        let name: String
        let id: UInt32
        let type: String
        let pinnedAt: String?
    }

    let name: String
    let program: String
    let section: String
    let origin: String
    let sha256: String
    let license: String
    let priority: UInt32
    let composition: String
    let reason: String?
    let instructions: Int
    let supportsFrags: Bool
    let verdicts: [VerdictStatus]
    /// Packets with a code that is no verdict.
    let unknownVerdicts: UInt64?
    let maps: [MapStatus]

    init(_ member: Member, next: String?, counters: MemberCounters?) {
        name = member.name
        program = member.unit.program
        section = member.unit.section
        origin = member.origin
        sha256 = SHA256.hexadecimal(member.digest)
        license = member.unit.license
        priority = member.priority
        composition = member.composition.mode.rawValue
        reason = member.composition.reason.isEmpty ? nil : member.composition.reason
        instructions = member.unit.instructions.count
        supportsFrags = member.unit.supportsFrags
        verdicts = Verdict.allCases.map { verdict in
            let edge = member.edge(after: verdict)
            let target: String
            switch edge {
            case .next: target = next ?? "end"
            case .end: target = "end"
            case .member(let name): target = name
            }
            return VerdictStatus(
                verdict: verdict.description, edge: edge.description, leadsTo: target,
                packets: counters?[verdict].packets, bytes: counters?[verdict].bytes)
        }
        unknownVerdicts = counters?.unknown.packets
        maps = zip(member.unit.maps, member.mapIDs).map { map, id in
            MapStatus(
                name: map.name, id: id, type: map.definition.type.description,
                pinnedAt: member.pins.first { $0.map == map.name }?.path)
        }
    }
}
