// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Places in the rings of each queue, from `ETHTOOL_MSG_RINGS_GET_REPLY` (linux/ethtool_netlink.h).
public struct Rings: Hashable, Sendable {
    public var receive: UInt32
    public var transmit: UInt32
    public var maximumReceive: UInt32
    public var maximumTransmit: UInt32

    /// Reads an answer.
    public init(_ attributes: Attributes) {
        receive = attributes[ETHTOOL_A_RINGS_RX]?.uint32 ?? 0
        transmit = attributes[ETHTOOL_A_RINGS_TX]?.uint32 ?? 0
        maximumReceive = attributes[ETHTOOL_A_RINGS_RX_MAX]?.uint32 ?? 0
        maximumTransmit = attributes[ETHTOOL_A_RINGS_TX_MAX]?.uint32 ?? 0
    }
}
