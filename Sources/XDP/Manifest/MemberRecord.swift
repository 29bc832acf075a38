// SPDX-License-Identifier: Apache-2.0
import BPF

/// What a member's own program knows of itself: a manifest of one member, bound to that program. So such a
/// program can be exchanged alone, in its array, and its record with it.
enum MemberRecord {
    private static let mapName = "xdpctl_member"

    static func save(_ member: Member) throws(BPFError) -> MapHandle {
        try ManifestStore.save(Manifest(chain: Chain(members: [member]), mode: .native), name: mapName)
    }

    /// Brings the members of a manifest up to date whose own programs were exchanged since it was written.
    static func refresh(_ manifest: inout Manifest) throws(BPFError) {
        for member in manifest.chain.members {
            guard let separate = member.separate else { continue }
            let active: UInt32?
            do throws(BPFError) {
                active = try BPFMap(id: separate.arrayID).programID(at: 0)
            } catch {
                if error.errno != .noSuchFileOrDirectory { throw error }
                active = nil
            }
            if active == separate.programID { continue }
            guard let active, member.adopted == nil, let now = try read(active), now.name == member.name
            else {
                // Emptied, or filled by somebody else.
                try? manifest.chain.update(member.name) { $0.separate?.programID = active ?? 0 }
                continue
            }
            try? manifest.chain.update(member.name) { kept in
                kept.takeCode(of: now)
                kept.separate?.programID = active
            }
        }
    }

    private static func read(_ programID: UInt32) throws(BPFError) -> Member? {
        let program: Program
        do throws(BPFError) {
            program = try Program(id: programID)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
        guard case .success(let record)? = try ManifestStore.find(in: program, name: mapName) else {
            return nil
        }
        return record.chain.members.first
    }
}
