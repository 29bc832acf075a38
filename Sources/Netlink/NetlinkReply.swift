// SPDX-License-Identifier: Apache-2.0

/// What the kernel answered to a request that it carried out.
public struct NetlinkReply: Hashable, Sendable {
    /// The messages before the acknowledgement.
    public var messages: [NetlinkMessage]
    /// The kernel's warning, if it had one.
    public var warning: String?
}
