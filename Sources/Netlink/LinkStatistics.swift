// SPDX-License-Identifier: Apache-2.0
import CBPF

/// What the network stack counts of an interface.
///
/// Layout of `struct rtnl_link_stats64` (linux/if_link.h): 64-bit numbers in host byte order, in the order of
/// ``names``. A kernel may give fewer of them than these, or more.
public struct LinkStatistics: Hashable, Sendable {
    /// The values, as many as the kernel gave and this version knows.
    public var values: [UInt64]

    /// The fields by the kernel's names. The last one came with Linux 5.19.
    public static let names = [
        "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped",
        "tx_dropped",
        "multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
        "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
        "tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler",
        "rx_otherhost_dropped",
    ]

    /// A value by its name; nil where this kernel does not count it.
    public subscript(_ name: String) -> UInt64? {
        guard let place = Self.names.firstIndex(of: name), values.indices.contains(place) else { return nil }
        return values[place]
    }

    /// Reads the value of `IFLA_STATS_LINK_64` or `IFLA_STATS64`; bytes that are no whole number are left out.
    public init(_ bytes: ArraySlice<UInt8>) {
        values = Self.names.indices.prefix(bytes.count / 8).compactMap {
            bytes.integer(UInt64.self, at: $0 * 8)
        }
    }
}

extension RouteSocket {
    /// What the network stack counts of an interface (`RTM_GETSTATS`). Linux 4.7.
    ///
    /// Throws `ENODEV` where there is no interface of that number.
    public mutating func statistics(of index: UInt32) throws(NetlinkError) -> LinkStatistics {
        let operation = "read the counters of the interface"
        var message = MessageBuilder(type: RTM_GETSTATS)
        var header = if_stats_msg()
        header.ifindex = index
        header.filter_mask = 1 << UInt32(IFLA_STATS_LINK_64 - 1)
        message.append(header)
        let subject = "interface with index \(index)"
        let reply = try socket.request(message, operation: operation, subject: subject)
        for message in reply.messages where message.type == RTM_NEWSTATS {
            if let value = message.attributes(after: MemoryLayout<if_stats_msg>.size)[Int(IFLA_STATS_LINK_64)]
            {
                return LinkStatistics(value.value)
            }
        }
        throw NetlinkError(operation: operation, subject: subject, errno: .badMessage)
    }
}
