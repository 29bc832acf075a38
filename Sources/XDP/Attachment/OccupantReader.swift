// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink

/// Asks the kernel what an attached program is.
enum OccupantReader {
    /// Returns nil if a program was exchanged since the interface was looked at.
    static func read(
        _ attachments: [XDPAttachment], of interface: UInt32
    ) throws(BPFError) -> Occupant? {
        var foreign: Occupant = .none
        for attachment in attachments {
            guard let found = try read(attachment, of: interface) else { return nil }
            if case .chain = found { return found }
            if case .none = foreign { foreign = found }
        }
        return foreign
    }

    private static func read(
        _ attachment: XDPAttachment, of interface: UInt32
    ) throws(BPFError) -> Occupant? {
        let program: Program
        do throws(BPFError) {
            program = try Program(id: attachment.programID)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
        let mode = AttachMode(attachment.mode)
        let content = try ManifestStore.find(in: program)
        let linkID = try HookHolder.links(holding: attachment.programID, on: interface, atMost: 1).first
        switch content {
        case .success(var manifest)?:
            try MemberRecord.refresh(&manifest)
            return .chain(
                ActiveChain(
                    manifest: manifest,
                    attached: AttachedProgram(
                        id: attachment.programID, program: program, mode: mode, linkID: linkID,
                        interface: interface)))
        case .failure(.foreign)?, nil:
            return .foreign(
                ForeignProgram(information: try program.information(), mode: mode, linkID: linkID))
        case .failure(let reason)?:
            return .unreadable(
                ForeignProgram(information: try program.information(), mode: mode, linkID: linkID), reason)
        }
    }
}
