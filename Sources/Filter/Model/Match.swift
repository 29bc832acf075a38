// SPDX-License-Identifier: Apache-2.0

/// Which packets: tests joined by and, or, not.
///
/// A test is true or false, never unknown: where a packet lacks the field, the test is false, and so `not` of it
/// is true. (`dport != 53` is another thing: it asks for a port that is another one, so it is the test of a
/// port in everything but 53, and false without a port.)
public indirect enum Match: Sendable, Hashable {
    case always
    case all([Match])
    case any([Match])
    case not(Match)
    case test(Test)
}

/// One question about one field of the packet; false where the packet lacks the field.
public enum Test: Sendable, Hashable {
    /// The number is in one of these ranges (ascending, disjoint, not adjacent, not empty).
    case number(NumberField, [ClosedRange<UInt32>])
    /// The address is in one of these networks; both families may stand in one list.
    case address(AddressField, [IPPrefix])
    case mac(MACField, [MACAddress])
    /// `flags & mask == value`. TCP's flags byte: fin 1, syn 2, rst 4, psh 8, ack 16, urg 32, ece 64, cwr 128.
    case tcpFlags(value: UInt8, mask: UInt8)
    case fragment(FragmentKind)
    /// The interface on which the packet came in has one of these names now.
    case interface([String])
    case bytes(ByteTest)
    /// The fields together are an element of a set; one field for a plain set, several for tuples.
    case member(of: String, [SetField])
}

/// Fields that are small numbers.
///
/// Headers are read as ``PacketFields`` says. Numbers are in host order.
public enum NumberField: String, Sendable, Hashable, CaseIterable {
    /// The type of the frame's content, behind up to two VLAN tags (0x8100, 0x88a8).
    case etherType
    /// The id of the outermost VLAN tag.
    case vlan
    /// The id of the second VLAN tag.
    case innerVLAN
    /// 4 or 6, where that header is there whole and valid.
    case ipVersion
    /// The transport protocol: IPv4's protocol, or what IPv6's extension headers lead to.
    case `protocol`
    /// The upper six bits of IPv4's type of service or IPv6's traffic class.
    case dscp
    /// The whole byte of type of service or traffic class.
    case trafficClass
    /// IPv4's time to live or IPv6's hop limit.
    case ttl
    /// Ports of TCP, UDP, UDP-Lite, SCTP and DCCP, in packets that have that header: not in later fragments.
    case sourcePort
    case destinationPort
    case icmpType
    case icmpCode
    case icmp6Type
    case icmp6Code
    /// Bytes of the frame from the Ethernet header to its end, padding and all buffers included; 65535 stands
    /// for that and more.
    case length
    /// The receive queue; 65535 stands for that and more.
    case queue

    /// The largest value.
    public var maximum: UInt32 {
        switch self {
        case .etherType, .sourcePort, .destinationPort, .length, .queue: 65_535
        case .vlan, .innerVLAN: 4095
        case .ipVersion: 15
        case .dscp: 63
        case .protocol, .trafficClass, .ttl, .icmpType, .icmpCode, .icmp6Type, .icmp6Code: 255
        }
    }
}

/// Fields that are IP addresses, of the outermost IP header.
public enum AddressField: String, Sendable, Hashable, CaseIterable {
    case source, destination
}

/// Fields that are MAC addresses.
public enum MACField: String, Sendable, Hashable, CaseIterable {
    case source, destination
}

/// Kinds of fragments, of IPv4 and of IPv6. False for what is whole, also with IPv6's "atomic" fragment header.
public enum FragmentKind: String, Sendable, Hashable, CaseIterable {
    /// Any fragment, the first one too.
    case any
    /// The one that begins the packet and so has the transport header.
    case first
    /// One that does not.
    case later
}

/// A field as a component of a set's elements.
public enum SetField: Sendable, Hashable {
    case address(AddressField)
    case number(NumberField)
    case mac(MACField)
    /// The interface on which the packet came in.
    case interface
}

/// Bytes anywhere in the frame, as one number in network order.
public struct ByteTest: Sendable, Hashable {
    /// Where counting begins; false where the packet lacks that header.
    public enum Base: String, Sendable, Hashable, CaseIterable {
        case frame
        /// The IP header.
        case network
        /// The transport header; not in later fragments.
        case transport
    }

    public enum Comparison: String, Sendable, Hashable, CaseIterable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    public var base: Base
    /// From the base; up to 511.
    public var offset: UInt16
    /// 1 to 8. False where the frame (its first buffer) ends before.
    public var count: UInt8
    /// Applied before comparing.
    public var mask: UInt64
    public var comparison: Comparison
    public var value: UInt64

    public init(
        _ base: Base, offset: UInt16, count: UInt8, mask: UInt64 = .max, _ comparison: Comparison,
        _ value: UInt64
    ) {
        self.base = base
        self.offset = offset
        self.count = count
        self.mask = mask
        self.comparison = comparison
        self.value = value
    }
}
