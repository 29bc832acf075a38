// SPDX-License-Identifier: Apache-2.0

/// What the `netdev` family of generic netlink says of an interface.
///
/// Attributes (`NETDEV_A_DEV_…`), from `Documentation/netlink/specs/netdev.yaml`; linux/netdev.h came with Linux
/// 6.3, and the headers that this is built with may be older:
///
/// | Number | Type | Content | Linux |
/// |---|---|---|---|
/// | 1 | u32 | index of the interface | 6.3 |
/// | 3 | u64 | what the driver can do with XDP, `enum netdev_xdp_act` | 6.3 |
/// | 4 | u32 | buffers of a packet of a zero-copy socket, only with zero copy | 6.5 |
/// | 5 | u64 | what programs can ask of a packet, `enum netdev_xdp_rx_metadata` | 6.6 |
/// | 6 | u64 | what AF_XDP sockets can ask when they send, `enum netdev_xsk_flags` | 6.8 |
public struct NetdevDevice: Hashable, Sendable {
    /// The interface, in the namespace of the socket.
    public var index: UInt32
    /// `NETDEV_XDP_ACT_…`; nil where the kernel does not say.
    public var features: Features?
    /// Buffers that a packet of a zero-copy socket may have; nil without zero copy.
    public var zeroCopySegments: UInt32?
    /// `NETDEV_XDP_RX_METADATA_…`; nil where the kernel does not say.
    public var receiveMetadata: ReceiveMetadata?
    /// `NETDEV_XSK_FLAGS_…`; nil where the kernel does not say.
    public var transmitMetadata: TransmitMetadata?

    /// The bits of `enum netdev_xdp_act`.
    public struct Features: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64

        public init(rawValue: UInt64) { self.rawValue = rawValue }

        public static let basic = Features(rawValue: 1 << 0)
        public static let redirect = Features(rawValue: 1 << 1)
        public static let transmit = Features(rawValue: 1 << 2)
        public static let zeroCopy = Features(rawValue: 1 << 3)
        public static let offload = Features(rawValue: 1 << 4)
        public static let receiveFragments = Features(rawValue: 1 << 5)
        public static let transmitFragments = Features(rawValue: 1 << 6)
    }

    /// The bits of `enum netdev_xdp_rx_metadata`.
    public struct ReceiveMetadata: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64

        public init(rawValue: UInt64) { self.rawValue = rawValue }

        public static let timestamp = ReceiveMetadata(rawValue: 1 << 0)
        public static let hash = ReceiveMetadata(rawValue: 1 << 1)
        public static let vlanTag = ReceiveMetadata(rawValue: 1 << 2)
    }

    /// The bits of `enum netdev_xsk_flags`.
    public struct TransmitMetadata: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64

        public init(rawValue: UInt64) { self.rawValue = rawValue }

        public static let timestamp = TransmitMetadata(rawValue: 1 << 0)
        public static let checksum = TransmitMetadata(rawValue: 1 << 1)
        /// Linux 6.14.
        public static let launchTime = TransmitMetadata(rawValue: 1 << 2)
    }

    /// Reads the attributes of an answer or a notification; nil without an index.
    public init?(_ attributes: Attributes) {
        guard let index = attributes[1]?.uint32, index != 0 else { return nil }
        self.index = index
        features = attributes[3]?.uint64.map { Features(rawValue: $0) }
        zeroCopySegments = attributes[4]?.uint32
        receiveMetadata = attributes[5]?.uint64.map { ReceiveMetadata(rawValue: $0) }
        transmitMetadata = attributes[6]?.uint64.map { TransmitMetadata(rawValue: $0) }
    }
}
