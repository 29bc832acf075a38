// SPDX-License-Identifier: Apache-2.0

/// A place on a packet's way through a chain at which a ``Tap`` sees it.
public struct TapPoint: Sendable, Hashable, Codable, CustomStringConvertible {
    public enum Kind: UInt8, Sendable, Hashable, Codable, CaseIterable {
        /// Before the first member, as the packet came.
        case start
        /// Before a member.
        case entry
        /// After a member, with its verdict, wherever that leads.
        case exit
        /// After the chain, with the verdict that the packet gets. The member is the one that gave it.
        case end
    }

    public var kind: Kind
    /// Empty at the start, and where a chain has no members.
    public var member: String

    public init(_ kind: Kind, member: String = "") {
        self.kind = kind
        self.member = member
    }

    /// As it is typed: `start`, `ids:entry`, `ids:exit`, `end`; the last one stands for all members.
    public var description: String {
        switch kind {
        case .start: "start"
        case .entry: "\(member):entry"
        case .exit: "\(member):exit"
        case .end: "end"
        }
    }
}

/// Which points somebody wants to see; members that come later are included where all are meant.
public struct TapSelection: Sendable, Hashable, Codable {
    public var start: Bool
    public var end: Bool
    /// Every member's entry, and exit.
    public var allEntries: Bool
    public var allExits: Bool
    /// The names of single members.
    public var entries: [String]
    public var exits: [String]

    public init(
        start: Bool = false, end: Bool = false, allEntries: Bool = false, allExits: Bool = false,
        entries: [String] = [], exits: [String] = []
    ) {
        self.start = start
        self.end = end
        self.allEntries = allEntries
        self.allExits = allExits
        self.entries = entries
        self.exits = exits
    }

    public func includes(_ point: TapPoint) -> Bool {
        switch point.kind {
        case .start: start
        case .end: end
        case .entry: allEntries || entries.contains(point.member)
        case .exit: allExits || exits.contains(point.member)
        }
    }
}
