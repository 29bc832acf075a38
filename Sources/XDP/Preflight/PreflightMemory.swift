// SPDX-License-Identifier: Apache-2.0

/// What was found out for one change, which may have to be tried several times.
final class PreflightMemory {
    private struct Key: Hashable {
        var name: String
        var digest: [UInt8]
        var buildTime: UInt64
        var program: UInt32
        var maps: [UInt32]
    }

    private var known: [Key: MemberCode?] = [:]

    /// What a member does; nil where its instructions cannot be read.
    func code(of member: Member) -> MemberCode? {
        let key = Key(
            name: member.name, digest: member.digest, buildTime: member.buildTime,
            program: member.adopted == nil ? 0 : member.separate?.programID ?? 0, maps: member.mapIDs)
        if let found = known[key] { return found }
        let found = MemberCode(member)
        known[key] = .some(found)
        return found
    }
}
