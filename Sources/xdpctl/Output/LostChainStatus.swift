// SPDX-License-Identifier: Apache-2.0
import XDP

/// A chain that lost its interface.
struct LostChainStatus: Encodable, Sendable {
    let programID: UInt32
    let linkID: UInt32
    let members: [String]
    let pinnedAt: String

    enum CodingKeys: String, CodingKey {
        case members, pinnedAt
        case programID = "programId"
        case linkID = "linkId"
    }

    init(_ lost: LostChain) {
        programID = lost.programID
        linkID = lost.linkID
        members = lost.manifest.chain.members.map(\.name)
        pinnedAt = lost.path
    }

    var text: String {
        "a chain of \(members.joined(separator: ", ")) has no interface any more: it was deleted, or somebody "
            + "detached link \(linkID). `xdpctl apply` or `load` makes it again; the rest of the old one goes "
            + "with the next change"
    }
}
