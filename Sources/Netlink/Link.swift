// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A network interface, as the kernel described it at one moment.
///
/// Layout of the message (`RTM_NEWLINK`), from `linux/rtnetlink.h` (`struct ifinfomsg`), host byte order;
/// attributes `IFLA_…` of `linux/if_link.h` follow:
///
/// | Offset | Size | Field |
/// |---|---|---|
/// | 0 | 1 | family; 0 unless a protocol such as bridging speaks about its own side of the interface |
/// | 2 | 2 | hardware type `ARPHRD_…` |
/// | 4 | 4 | index |
/// | 8 | 4 | flags `IFF_…` |
/// | 12 | 4 | which flags changed; all ones for a new interface |
public struct Link: Hashable, Sendable {
    /// The number of the interface in its network namespace.
    public var index: UInt32
    /// The name, at most 15 bytes.
    public var name: String
    /// Further names (`ip link property add`, Linux 5.5).
    public var alternativeNames: [String] = []
    /// The hardware type: 1 Ethernet, 772 loopback, 65534 none (tun).
    public var hardwareType: UInt16
    /// `IFF_…`.
    public var flags: Flags
    /// The state of RFC 2863.
    public var operationalState = OperationalState.unknown
    /// The largest packet, in bytes, without the link-layer header.
    public var mtu: UInt32 = 0
    /// The largest MTU that the driver takes, in bytes; nil where it sets none.
    public var maximumMTU: UInt32?
    /// What `ip link add type` calls it: “veth”, “bridge”; nil for hardware and what has no kind.
    public var kind: String?
    /// The link-layer address.
    public var hardwareAddress: HardwareAddress?
    /// The index of the bridge, bond or team that the interface is a port of.
    public var masterIndex: UInt32?
    /// `IFLA_LINK`: the index of the other end of a veth, or of what a VLAN or macvlan is on top of.
    public var peerIndex: UInt32?
    /// `IFLA_LINK_NETNSID`: the namespace of ``peerIndex`` as the interface's own namespace numbers it; nil
    /// when that is the same namespace.
    public var peerNamespaceID: Int32?
    /// Queues that the driver has room for.
    public var transmitQueues: UInt32 = 0
    /// Queues that the driver has room for.
    public var receiveQueues: UInt32 = 0
    /// The XDP programs, native first.
    public var attachments: [XDPAttachment] = []

    /// The first XDP program; there is more than one only with a program on the card beside another.
    public var xdp: XDPAttachment? { attachments.first }
    /// Whether it was set up by the administrator.
    public var isUp: Bool { flags.contains(.up) }
    /// Whether it is up and has a carrier.
    public var isRunning: Bool { flags.contains(.running) }
    /// How errors name it: “interface eth0 (index 4)”.
    public var subject: String { "interface \(name) (index \(index))" }

    /// The flags of an interface, `IFF_…` of `linux/if.h`.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt32

        /// Flags of these bits.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// Set up by the administrator.
        public static let up = Flags(rawValue: UInt32(IFF_UP))
        /// The loopback interface.
        public static let loopback = Flags(rawValue: UInt32(IFF_LOOPBACK))
        /// Up, and with a carrier.
        public static let running = Flags(rawValue: UInt32(IFF_RUNNING))
        /// Takes packets for everybody.
        public static let promiscuous = Flags(rawValue: UInt32(IFF_PROMISC))
        /// Does not resolve addresses.
        public static let noARP = Flags(rawValue: UInt32(IFF_NOARP))
    }

    /// The operational state, `IF_OPER_…` of `linux/if.h`, after RFC 2863.
    public enum OperationalState: UInt8, Hashable, Sendable {
        /// The driver does not say; veth without carrier handling, loopback.
        case unknown = 0
        /// Not usable, hardware is missing.
        case notPresent = 1
        /// No carrier, or set down.
        case down = 2
        /// Down because of what it is on top of.
        case lowerLayerDown = 3
        /// In a test mode.
        case testing = 4
        /// Waits for something outside, such as 802.1X.
        case dormant = 5
        /// Passes packets.
        case up = 6
    }
}

extension Link {
    /// Reads `RTM_NEWLINK` or `RTM_DELLINK`; nil for another message, one without index or name, and one in
    /// which a protocol (bridging) speaks of its own side of an interface.
    public init?(_ message: NetlinkMessage) {
        let payload = message.payload[...]
        guard message.type == RTM_NEWLINK || message.type == RTM_DELLINK,
            payload.count >= MemoryLayout<ifinfomsg>.size,
            payload.integer(UInt8.self, at: 0) == UInt8(AF_UNSPEC),
            let hardwareType = payload.integer(UInt16.self, at: 2),
            let index = payload.integer(UInt32.self, at: 4), index != 0,
            let flags = payload.integer(UInt32.self, at: 8)
        else { return nil }
        self.index = index
        self.hardwareType = hardwareType
        self.flags = Flags(rawValue: flags)
        name = ""
        for attribute in message.attributes(after: MemoryLayout<ifinfomsg>.size) {
            take(attribute)
        }
        if name.isEmpty { return nil }
    }

    private mutating func take(_ attribute: Attribute) {
        switch attribute.type {
        case IFLA_IFNAME: name = attribute.string
        case IFLA_MTU: mtu = attribute.uint32 ?? 0
        case IFLA_MAX_MTU: maximumMTU = attribute.uint32.flatMap { $0 == 0 ? nil : $0 }
        case IFLA_OPERSTATE:
            operationalState = attribute.uint8.flatMap(OperationalState.init) ?? .unknown
        case IFLA_ADDRESS: hardwareAddress = HardwareAddress(attribute.value)
        case IFLA_MASTER: masterIndex = attribute.uint32
        // An interface on top of nothing (a tunnel) says 0.
        case IFLA_LINK: peerIndex = attribute.uint32.flatMap { $0 == 0 ? nil : $0 }
        case IFLA_LINK_NETNSID: peerNamespaceID = attribute.int32
        case IFLA_NUM_TX_QUEUES: transmitQueues = attribute.uint32 ?? 0
        case IFLA_NUM_RX_QUEUES: receiveQueues = attribute.uint32 ?? 0
        case IFLA_LINKINFO: kind = attribute.nested[IFLA_INFO_KIND]?.string
        case IFLA_PROP_LIST:
            alternativeNames = attribute.nested.filter { $0.type == IFLA_ALT_IFNAME }.map(\.string)
        case IFLA_XDP: attachments = XDPAttachment.attachments(in: attribute.nested)
        default: break
        }
    }
}
