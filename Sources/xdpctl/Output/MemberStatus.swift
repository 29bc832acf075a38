// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

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

    struct OwnProgramStatus: Encodable, Sendable {
        /// Missing where the array is empty: then packets get the fallback verdict.
        let programID: UInt32?
        let arrayID: UInt32

        enum CodingKeys: String, CodingKey {
            case programID = "programId"
            case arrayID = "arrayId"
        }
    }

    struct FilterStatus: Encodable, Sendable {
        let rules: Int
        let sets: Int
        let path: String?
    }

    struct GateStatus: Encodable, Sendable {
        let open: Bool
        /// Until the rules from before come back.
        let secondsLeft: UInt64
        /// What was asked for.
        let seconds: UInt64
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
    /// Packets that did not reach it, because they had used up their tail calls.
    let missedPackets: UInt64?
    /// Which of the chain's programs it is in; 0 is the first.
    let segment: Int
    let ownProgram: OwnProgramStatus?
    /// What it is, if it is a filter.
    let filter: FilterStatus?
    /// What it is, if it stands before rules that wait to be confirmed.
    let gate: GateStatus?
    /// What is known of a member that somebody else loaded.
    var adopted: ProgramStatus?

    init(_ member: Member, next: String?, counters: MemberCounters?, missed: UInt64?) {
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
        switch FilterSummary(member) {
        case .filter(let rules, let sets, let path)?:
            filter = FilterStatus(rules: rules, sets: sets, path: path)
            gate = nil
        case .gate(let found)?:
            filter = nil
            gate = GateStatus(
                open: found.isOpen, secondsLeft: found.remaining, seconds: found.seconds)
        case nil:
            filter = nil
            gate = nil
        }
        missedPackets = missed
        segment = member.composition.segment
        ownProgram = member.separate.map {
            OwnProgramStatus(programID: $0.programID == 0 ? nil : $0.programID, arrayID: $0.arrayID)
        }
    }
}
