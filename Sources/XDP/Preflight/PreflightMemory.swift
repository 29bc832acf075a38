// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink

/// What was found out for one change, which may have to be tried several times.
final class PreflightMemory {
    private struct Key: Hashable {
        var name: String
        var digest: [UInt8]
        var buildTime: UInt64
        var program: UInt32
        var maps: [UInt32]
    }

    private var analyses: [Key: ProgramAnalysis?] = [:]

    /// What a member does; nil where its instructions cannot be read.
    func analysis(of member: Member) -> ProgramAnalysis? {
        let key = Key(
            name: member.name, digest: member.digest, buildTime: member.buildTime,
            program: member.adopted == nil ? 0 : member.separate?.programID ?? 0, maps: member.mapIDs)
        if let known = analyses[key] { return known }
        let found = MemberCode.of(member).map { ProgramAnalysis(of: $0) }
        analyses[key] = .some(found)
        return found
    }
}
