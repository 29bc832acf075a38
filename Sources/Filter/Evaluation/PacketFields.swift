// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// What rules can ask of a packet.
///
/// How headers are read; the compiler emits the same:
///
/// - **Frame.** 14 bytes Ethernet; a shorter frame has its length, queue and interface and nothing else. Up to two
///   VLAN tags (type 0x8100 or 0x88a8) are stepped over, each if its four bytes are there; a third one, and one cut
///   short, is the frame's type. Only what is in the packet's first buffer is read; the length counts all.
/// - **IPv4** behind type 0x0800: valid with version 4, a header length of at least 20, and the whole header there. It ends where its total
///   length says, or where the frame ends, if that is earlier or the total length is 0. A total length that is
///   not 0 and less than the header makes it invalid.
/// - **IPv6** behind type 0x86dd: valid with version 6 and 40 bytes there. It ends 40 + payload length behind its
///   start, or where the frame ends, if that is earlier or the payload length is 0.
/// - Of an **invalid** IP header no field of network or transport exists; the frame's fields do.
/// - **Extension headers** of IPv6: hop-by-hop 0, routing 43, destination options 60, mobility 135, HIP 139, shim6
///   140 (length (byte 1 + 1) × 8), authentication 51 (length (byte 1 + 2) × 4), fragment 44 (8 bytes): up to eight
///   are stepped over. One that ends behind the packet's end, or a ninth, leaves the protocol unknown:
///   neither it nor anything of transport exists. In IPv4 nothing is stepped over.
/// - **Fragments.** IPv4: more-fragments or an offset. IPv6: a fragment header with either (the first fragment header counts; an atomic
///   one is none). In a later fragment (offset not 0) the walk ends: the protocol is what the IPv4 header or the fragment header
///   names, and nothing of transport exists. In a first fragment transport exists as far as it is there.
/// - **Transport** begins behind that; each field exists if its bytes lie before the packet's end: ports (4 bytes, of TCP 6, UDP 17, DCCP 33, SCTP 132,
///   UDP-Lite 136), TCP's flags (14 bytes), type and code of ICMP 1 in IPv4 and of ICMPv6 58 in IPv6 (2 bytes each). ICMP
///   in IPv6 and ICMPv6 in IPv4 have none.
/// - **dscp, trafficClass, ttl** exist with a valid IP header, the protocol too unless it is unknown.
public struct PacketFields: Sendable, Hashable {
    /// The first buffer's bytes, for ``ByteTest``.
    public var bytes: [UInt8]
    /// Where the IP header begins; nil without a valid one.
    public var networkOffset: Int?
    /// Where the transport header would begin; nil without a known protocol and in later fragments. May be the packet's end.
    public var transportOffset: Int?
    /// The numbers that the packet has.
    public var numbers: [NumberField: UInt32]
    public var source: IPAddress?
    public var destination: IPAddress?
    public var sourceMAC: MACAddress?
    public var destinationMAC: MACAddress?
    public var tcpFlags: UInt8?
    public var isFirstFragment: Bool
    public var isLaterFragment: Bool
    /// The index of the interface on which it came in.
    public var interface: UInt32
}

/// What a rule set says of a packet.
public struct Decision: Sendable, Hashable {
    public var verdict: Verdict
    /// The rule that decided; the policy where none did.
    public var rule: RuleID
    /// The interface, where the verdict is `redirect`.
    public var redirect: String?
    /// All rules that matched, in the order in which the packet met them (jumps before what they jump to), the deciding one last;
    /// of a jump only if its match held.
    public var matched: [RuleID]

    public init(verdict: Verdict, rule: RuleID, redirect: String? = nil, matched: [RuleID]) {
        self.verdict = verdict
        self.rule = rule
        self.redirect = redirect
        self.matched = matched
    }
}
