// SPDX-License-Identifier: Apache-2.0

/// The instructions of a member, wherever they are.
enum MemberCode {
    /// nil where they cannot be read.
    static func of(_ member: Member) -> ProgramCode? {
        guard member.adopted == nil else { return nil }
        return ProgramCode(member.unit, mapIDs: member.mapIDs)
    }
}
