// SPDX-License-Identifier: Apache-2.0
import BPF

/// The program of a member that is not part of the linked one: the chain calls it through a program array of
/// one place, and its verdict comes back. About 9 ns, and one of the 33 tail calls that a packet may meet.
public struct SeparateProgram: Sendable, Hashable {
    /// The kernel's id of the program.
    public var programID: UInt32
    /// The kernel's id of the array it stands in.
    public var arrayID: UInt32
    /// Whether it was loaded for packets of several buffers: the chain has to agree with it.
    public var supportsFrags: Bool
    /// Why it is not part of the linked program.
    public var reason: String

    public init(programID: UInt32, arrayID: UInt32, supportsFrags: Bool, reason: String) {
        self.programID = programID
        self.arrayID = arrayID
        self.supportsFrags = supportsFrags
        self.reason = reason
    }

    /// The reason of those that the user wants so.
    static let wanted = "it was asked for"

    /// Ends the reason of those that were made while taps were there, and may not be needed without.
    static let whileTapped = " (while packets are captured)"
}

/// A member that somebody else loaded: what is known of the program beside its id.
public struct AdoptedProgram: Sendable, Hashable {
    /// The kernel's hash of the instructions.
    public var tag: String
    /// Nanoseconds since boot.
    public var loadTime: UInt64
    /// Who loaded it.
    public var userID: UInt32
    /// The link that held the interface; nil where it was attached by netlink.
    public var linkID: UInt32?
    /// What it was loaded for; the chain is loaded for the same, or the kernel would not let it call the
    /// program.
    public var attachType: AttachType

    public init(_ information: ProgramInformation, linkID: UInt32?, attachType: AttachType) {
        self.init(
            tag: information.tag, loadTime: information.loadTime, userID: information.userID, linkID: linkID,
            attachType: attachType)
    }

    public init(tag: String, loadTime: UInt64, userID: UInt32, linkID: UInt32?, attachType: AttachType) {
        self.tag = tag
        self.loadTime = loadTime
        self.userID = userID
        self.linkID = linkID
        self.attachType = attachType
    }
}
