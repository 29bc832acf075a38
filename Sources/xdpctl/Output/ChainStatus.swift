// SPDX-License-Identifier: Apache-2.0
import XDP

/// A chain.
struct ChainStatus: Encodable, Sendable {
    let programID: UInt32
    let linkID: UInt32?
    /// "link", or "netlink" where the chain took the place of a program that had been attached so.
    let heldBy: String
    let change: UInt64
    let closing: Bool
    let fellBackToGeneric: Bool
    let supportsFrags: Bool
    let counters: String
    /// The verdict of packets that have used up their tail calls.
    let fallback: String
    /// How many programs the chain is, members' own ones not counted.
    let segments: Int
    let verifiedInstructions: UInt32
    let stackBytes: UInt32
    private(set) var members: [MemberStatus]
    let captures: [CaptureStatus]
    /// "made" where nothing but captures is the reason for the chain, "adopted" where they also are why somebody else's
    /// program is a member.
    let loan: String?
    private let adopted: AdoptedMembers

    enum CodingKeys: String, CodingKey {
        case programID = "programId"
        case linkID = "linkId"
        case heldBy, change, closing, fellBackToGeneric, supportsFrags, counters, fallback, segments,
            verifiedInstructions, stackBytes, members, captures, loan
    }

    init(_ active: ActiveChain) throws(XDPError) {
        let manifest = active.manifest
        programID = active.programID
        linkID = active.linkID
        heldBy = active.linkID == nil ? "netlink" : "link"
        change = manifest.generation
        closing = manifest.isClosed
        fellBackToGeneric = manifest.fellBack
        supportsFrags = manifest.supportsFrags
        counters = manifest.chain.counters.rawValue
        fallback = manifest.chain.fallback.description
        segments = 1 + (manifest.chain.members.map(\.composition.segment).max() ?? 0)
        verifiedInstructions = manifest.verifiedInstructions
        stackBytes = manifest.frame
        let counted = try active.counters()
        let missed = manifest.counterPages.isEmpty ? nil : try active.missedPackets()
        adopted = AdoptedMembers(of: active)
        captures = manifest.chain.taps.map { CaptureStatus($0, in: manifest.chain) }
        loan =
            switch manifest.chain.loan {
            case .made?: "made"
            case .adopted?: "adopted"
            case nil: nil
            }
        members = manifest.chain.members.enumerated().map { place, member in
            MemberStatus(
                member, next: manifest.chain.members.dropFirst(place + 1).first?.name,
                counters: counted?[place], missed: missed?[place])
        }
    }

    /// What has to be surveyed for it.
    var foreign: [ForeignProgram] {
        adopted.programs.isEmpty ? [] : Array(adopted.programs.values) + [adopted.chain].compactMap { $0 }
    }

    /// Adds what was found out about members that somebody else loaded.
    mutating func add(_ survey: ForeignSurvey) {
        for place in members.indices {
            let name = members[place].name
            guard let program = adopted.programs[name], let details = survey[name, in: adopted] else {
                continue
            }
            members[place].adopted = ProgramStatus(program, details)
        }
    }
}
