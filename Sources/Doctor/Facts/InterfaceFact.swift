// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// An interface, as far as it matters to the rules.
public struct InterfaceFact: Sendable, Hashable {
    public var name: String
    /// The programs on it, native first.
    public var attachments: [Attachment]
    /// Whether programs can run in the driver.
    public var native: Support
    /// What stands in the way of XDP on it.
    public var obstacles: [CheckFinding]

    public struct Attachment: Sendable, Hashable {
        public var mode: AttachMode
        public var programID: UInt32
        /// The members, if it is a chain of ours.
        public var members: [String]?
        /// Whether the chain took generic mode because native was refused when it was made.
        public var fellBack: Bool

        public init(
            mode: AttachMode, programID: UInt32, members: [String]? = nil, fellBack: Bool = false
        ) {
            self.mode = mode
            self.programID = programID
            self.members = members
            self.fellBack = fellBack
        }
    }

    public init(
        name: String, attachments: [Attachment] = [], native: Support = .supported,
        obstacles: [CheckFinding] = []
    ) {
        self.name = name
        self.attachments = attachments
        self.native = native
        self.obstacles = obstacles
    }
}
