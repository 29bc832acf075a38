// SPDX-License-Identifier: Apache-2.0

/// What an interface gives to XDP programs and to AF_XDP sockets, and what stands in the way.
public struct InterfaceFeatures: Sendable, Hashable {
    /// What a driver can do, a bit each in the kernel's `netdev` family (`enum netdev_xdp_act` in
    /// linux/netdev.h, Linux 6.3).
    public enum Feature: String, Sendable, Hashable, Codable, CaseIterable {
        /// Programs run in the driver, and may answer pass, drop, aborted and tx.
        case basic
        /// Programs may answer redirect.
        case redirect
        /// Packets can be redirected to this interface.
        case transmit = "ndo-xmit"
        /// AF_XDP sockets without copying.
        case zeroCopy = "xsk-zerocopy"
        /// Programs run on the card.
        case offload = "hw-offload"
        /// Packets of several buffers are received.
        case receiveFragments = "rx-sg"
        /// Packets of several buffers can be redirected to this interface.
        case transmitFragments = "ndo-xmit-sg"
    }

    /// What a program can ask the card about a packet (`enum netdev_xdp_rx_metadata`, Linux 6.3).
    public enum ReceiveMetadata: String, Sendable, Hashable, Codable, CaseIterable {
        case timestamp
        case hash
        case vlanTag = "vlan-tag"
    }

    /// What an AF_XDP socket can ask of the card when it sends (`enum netdev_xsk_flags`, Linux 6.8).
    public enum TransmitMetadata: String, Sendable, Hashable, Codable, CaseIterable {
        case timestamp = "tx-timestamp"
        case checksum = "tx-checksum"
        case launchTime = "tx-launch-time"
    }

    /// Who drives it, from ethtool.
    public struct Driver: Sendable, Hashable {
        public var name: String
        public var version: String
        public var firmware: String
        /// The place on the bus: "0000:00:03.0"; empty for what is no device.
        public var bus: String

        public init(name: String, version: String = "", firmware: String = "", bus: String = "") {
            self.name = name
            self.version = version
            self.firmware = firmware
            self.bus = bus
        }
    }

    /// Queues, from ethtool; nil where the driver does not say.
    public struct Queues: Sendable, Hashable {
        public var receive: UInt32
        public var transmit: UInt32
        /// Each serves both directions.
        public var combined: UInt32
        public var maximumReceive: UInt32
        public var maximumTransmit: UInt32
        public var maximumCombined: UInt32

        public init(
            receive: UInt32, transmit: UInt32, combined: UInt32, maximumReceive: UInt32,
            maximumTransmit: UInt32, maximumCombined: UInt32
        ) {
            self.receive = receive
            self.transmit = transmit
            self.combined = combined
            self.maximumReceive = maximumReceive
            self.maximumTransmit = maximumTransmit
            self.maximumCombined = maximumCombined
        }
    }

    /// Places in the rings of each queue, from ethtool.
    public struct Rings: Sendable, Hashable {
        public var receive: UInt32
        public var transmit: UInt32
        public var maximumReceive: UInt32
        public var maximumTransmit: UInt32

        public init(
            receive: UInt32, transmit: UInt32, maximumReceive: UInt32, maximumTransmit: UInt32
        ) {
            self.receive = receive
            self.transmit = transmit
            self.maximumReceive = maximumReceive
            self.maximumTransmit = maximumTransmit
        }
    }

    /// Programs that take a packet in one buffer only: those not built as `xdp.frags`.
    public struct SingleBuffer: Sendable, Hashable {
        /// Whether the driver takes them at the present MTU.
        public var atPresentMTU: Support
        /// The largest MTU at which it does, in bytes; nil where the kernel did not say.
        public var largestMTU: UInt32?
        /// What the kernel said when it refused one.
        public var kernelMessage: String?

        public init(
            atPresentMTU: Support, largestMTU: UInt32? = nil, kernelMessage: String? = nil
        ) {
            self.atPresentMTU = atPresentMTU
            self.largestMTU = largestMTU
            self.kernelMessage = kernelMessage
        }
    }

    public var name: String
    public var index: UInt32
    /// What `ip link add type` calls it; nil for hardware.
    public var kind: String?
    public var isUp = false
    public var driver: Driver?
    /// Whether programs can run in the driver.
    public var native: Support
    public var features: [Feature: Support]
    public var receiveMetadata: [ReceiveMetadata: Support]
    public var transmitMetadata: [TransmitMetadata: Support]
    /// Buffers that a packet of a zero-copy socket may have; nil where the kernel does not say.
    public var zeroCopySegments: UInt32?
    public var queues: Queues?
    public var rings: Rings?
    /// Bytes, without the link-layer header.
    public var mtu: UInt32 = 0
    /// On veth the peer's MTU counts, since that is what comes in.
    public var singleBuffer: SingleBuffer
    /// The offloads that matter here, by ethtool's names: "rx-lro", "rx-gro-hw", "rx-gro", "tx-tcp-segmentation".
    /// Whether each is on; what the driver does not know is left out.
    public var offloads: [String: Bool] = [:]
    /// The other end of a veth, which decides about what is sent to this one; nil elsewhere, and where it cannot be
    /// seen.
    public var peer: InterfacePeer?
    /// What the answers were concluded from that the kernel did not give in as many words, one thing a line.
    public var evidence: [String] = []
    /// What stands in the way of XDP now, and what would remove it.
    public var obstacles: [CheckFinding] = []

    /// An interface of which nothing is known, for a reason.
    public init(name: String, index: UInt32, unknown reason: String) {
        self.name = name
        self.index = index
        native = .unknown(reason)
        features = Self.all(.unknown(reason))
        receiveMetadata = Self.all(.unknown(reason))
        transmitMetadata = Self.all(.unknown(reason))
        singleBuffer = SingleBuffer(atPresentMTU: .unknown(reason))
    }

    /// The same answer for each.
    static func all<Key: Hashable & CaseIterable>(_ answer: Support) -> [Key: Support] {
        Dictionary(uniqueKeysWithValues: Key.allCases.map { ($0, answer) })
    }
}
