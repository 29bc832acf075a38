// SPDX-License-Identifier: Apache-2.0

/// A packet that was written down, to be shown to rules.
///
///     tcp from 1.2.3.4:5 to 5.6.7.8:22 syn
///
/// | Words | Meaning |
/// |---|---|
/// | `tcp` `udp` `sctp` `dccp` `udplite` `icmp` `icmpv6` `ip` `proto N` | what is in the IP packet |
/// | `arp` `arp request` `arp reply` | ARP |
/// | `ethertype N` | a frame with something else in it |
/// | `hex DIGITS` | a whole frame; nothing else about it can be said but `length`, `queue` and `iif` |
/// | `from ADDRESS` `to ADDRESS` | IPv4 or IPv6; `192.0.2.1:53`, `[2001:db8::1]:53` and `:53` have ports |
/// | `syn` `ack` … `flags syn,ack` `flags none` | of TCP; without any: `ack` |
/// | `echo-request` … `type N` `code N` | of ICMP |
/// | `vlan N` | a tag; the outer one first |
/// | `mac src M` `mac dst M` | Ethernet addresses |
/// | `ttl N` `hoplimit N` `dscp N` `tclass N` | of IP |
/// | `fragment first` `fragment later` | |
/// | `length N` | of the whole frame, filled up with zeros |
/// | `cut N` | only the first bytes of the frame arrive |
/// | `queue N` `iif NAME` | where it comes in |
///
/// What is not said is as in the example, or usual.
public struct WrittenPacket: Sendable, Hashable {
    /// As it was written.
    public var text: String
    public var bytes: [UInt8]
    /// Of the frame, all buffers; nil: ``bytes`` are all of it.
    public var length: Int?
    public var queue: UInt32
    /// The name of the interface by which it comes in.
    public var interface: String?

    init(text: String, bytes: [UInt8], length: Int?, queue: UInt32, interface: String?) {
        self.text = text
        self.bytes = bytes
        self.length = length
        self.queue = queue
        self.interface = interface
    }
}
