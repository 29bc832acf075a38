// SPDX-License-Identifier: Apache-2.0

/// What can be found out about a program of others beyond what the kernel says of it at once.
public struct ForeignDetails: Sendable, Hashable {
    /// The whole name of its function, where the kernel keeps only the first 15 bytes.
    public let functionName: String
    /// When it was loaded: seconds since 1970.
    public let loadedAt: Int64
    /// How long ago that was, in seconds.
    public let age: Int64
    /// The name of who loaded it; nil for a user without a name here.
    public let userName: String?
    /// The processes that hold it or its link, by number.
    public let holders: [ProgramHolder]
    /// Processes that this one may not look into, so that there may be more holders.
    public let hiddenProcesses: Int
    /// The pins that hold it or its link, by path.
    public let pins: [ProgramPin]
    /// Whether there were too many pins to look at all of them.
    public let isPinScanCut: Bool
    /// What is in it, if it is a dispatcher.
    public let dispatcher: Dispatcher?
}
