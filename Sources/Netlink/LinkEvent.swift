// SPDX-License-Identifier: Apache-2.0
import CBPF

/// What happened to an interface.
public enum LinkEvent: Hashable, Sendable {
    /// It is new in the namespace: created, or moved in.
    case added(Link)
    /// Something about it changed; it is as given now.
    case changed(Link)
    /// It is gone from the namespace: deleted, or moved out. It was as given.
    case deleted(Link)

    /// The interface.
    public var link: Link {
        switch self {
        case .added(let link), .changed(let link), .deleted(let link): link
        }
    }

    /// Reads a notification; nil for one that is not about an interface as such.
    public init?(_ message: NetlinkMessage) {
        guard let link = Link(message) else { return nil }
        if message.type == RTM_DELLINK {
            self = .deleted(link)
        } else if message.payload[...].integer(UInt32.self, at: 12) == .max {
            // The kernel says of a new interface that all its flags changed.
            self = .added(link)
        } else {
            self = .changed(link)
        }
    }
}
