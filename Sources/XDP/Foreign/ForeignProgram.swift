// SPDX-License-Identifier: Apache-2.0
import BPF

/// A program that this library did not attach.
public struct ForeignProgram: Sendable, Hashable {
    public let information: ProgramInformation
    public let mode: AttachMode
    /// The link that holds it; nil where it was attached by netlink, or where links cannot be listed.
    public let linkID: UInt32?
}
