// SPDX-License-Identifier: Apache-2.0
import Netlink

/// A TCP connection by which somebody works on this machine.
public struct RemoteSession: Sendable, Hashable {
    public var peer: IPAddress
    public var peerPort: UInt16
    public var local: IPAddress
    public var localPort: UInt16
    /// How it is known: "process 812 (sshd)", "SSH_CONNECTION of process 900 (bash)".
    public var origins: [String]

    public init(
        peer: IPAddress, peerPort: UInt16, local: IPAddress, localPort: UInt16, origins: [String] = []
    ) {
        self.peer = peer
        self.peerPort = peerPort
        self.local = local
        self.localPort = localPort
        self.origins = origins
    }

    /// `192.0.2.9:51234`.
    var end: String { peer.isIPv6 ? "[\(peer)]:\(peerPort)" : "\(peer):\(peerPort)" }
}

/// A session, and whether its packets come in by the interface that rules are for.
public struct ArrivingSession: Sendable, Hashable {
    public enum Arrival: Sendable, Hashable {
        case here
        /// Inside other packets, of a tunnel: whether those are let through is not known.
        case tunnelled(by: String)
        /// Taken for here; the reason is a clause.
        case unknown(String)
    }

    public var session: RemoteSession
    public var arrival: Arrival
    /// Who sends the frames: the peer, or the last router.
    public var sender: MACAddress?

    public init(_ session: RemoteSession, _ arrival: Arrival, sender: MACAddress? = nil) {
        self.session = session
        self.arrival = arrival
        self.sender = sender
    }
}
