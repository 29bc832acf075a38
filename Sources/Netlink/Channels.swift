// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The queues of an interface, from `ETHTOOL_MSG_CHANNELS_GET_REPLY` (linux/ethtool_netlink.h); the kernel leaves out
/// a kind of which there can be none.
public struct Channels: Hashable, Sendable {
    public var receive: UInt32
    public var transmit: UInt32
    /// Each serves both directions.
    public var combined: UInt32
    public var maximumReceive: UInt32
    public var maximumTransmit: UInt32
    public var maximumCombined: UInt32

    /// Reads an answer.
    public init(_ attributes: Attributes) {
        receive = attributes[ETHTOOL_A_CHANNELS_RX_COUNT]?.uint32 ?? 0
        transmit = attributes[ETHTOOL_A_CHANNELS_TX_COUNT]?.uint32 ?? 0
        combined = attributes[ETHTOOL_A_CHANNELS_COMBINED_COUNT]?.uint32 ?? 0
        maximumReceive = attributes[ETHTOOL_A_CHANNELS_RX_MAX]?.uint32 ?? 0
        maximumTransmit = attributes[ETHTOOL_A_CHANNELS_TX_MAX]?.uint32 ?? 0
        maximumCombined = attributes[ETHTOOL_A_CHANNELS_COMBINED_MAX]?.uint32 ?? 0
    }
}
