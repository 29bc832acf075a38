// SPDX-License-Identifier: Apache-2.0
import Netlink

/// What the kernel said about an interface, before anything is concluded from it.
struct InterfaceFacts: Sendable {
    var link: Link
    /// Whether this kernel has the `netdev` family.
    var hasNetdevFamily = true
    var netdev: NetdevDevice?
    var driver: DriverInformation?
    var channels: Channels?
    var rings: Rings?
    var offloads: Offloads?
    /// The other end of a veth, as far as it could be seen.
    var peer: InterfacePeer?
    /// The largest MTU that the other end of a veth may be given now.
    var peerMaximumMTU: UInt32?
    /// Whether GRO makes a veth receive through NAPI, as it does since Linux 5.13; nil where that was not found out.
    var groReceives: Bool?
    /// Interfaces of which this one is the master.
    var ports = 0
    /// What a short real attachment showed; nil without one.
    var probe: ProbeOutcome?
    /// Processors that the kernel is prepared for.
    var processors = 1

    init(link: Link) {
        self.link = link
    }
}
