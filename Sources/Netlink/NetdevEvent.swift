// SPDX-License-Identifier: Apache-2.0

/// What the `netdev` family tells of an interface.
public enum NetdevEvent: Hashable, Sendable {
    /// It is new in the namespace. Its features may still be empty; a change follows then.
    case added(NetdevDevice)
    /// What it can do changed.
    case changed(NetdevDevice)
    /// It is gone from the namespace.
    case deleted(NetdevDevice)

    /// The interface.
    public var device: NetdevDevice {
        switch self {
        case .added(let device), .changed(let device), .deleted(let device): device
        }
    }

    /// Reads a notification; nil for another one.
    public init?(_ message: GenericMessage) {
        guard let device = NetdevDevice(message.attributes) else { return nil }
        switch message.command {
        case NetdevSocket.Command.added: self = .added(device)
        case NetdevSocket.Command.deleted: self = .deleted(device)
        case NetdevSocket.Command.changed: self = .changed(device)
        default: return nil
        }
    }
}
