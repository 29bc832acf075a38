// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// What a driver counts of one queue, by names that all drivers share: `NETDEV_CMD_QSTATS_GET` of generic netlink's `netdev`
/// family. Linux 6.9, and only some drivers.
///
/// Attributes (`NETDEV_A_QSTATS_…`), from `Documentation/netlink/specs/netdev.yaml`:
///
/// | Number | Content |
/// |---|---|
/// | 1 | index of the interface |
/// | 2 | 0 receives, 1 sends |
/// | 3 | number of the queue |
/// | 8 and up | numbers of 4 or 8 bytes, see ``names`` |
public struct QueueStatistics: Hashable, Sendable {
    public enum Direction: UInt32, Hashable, Sendable {
        case receive = 0
        case transmit = 1
    }

    public var direction: Direction
    public var queue: UInt32
    /// By the specification's names, in the order in which they came.
    public var values: [Value]

    public struct Value: Hashable, Sendable {
        public var name: String
        public var value: UInt64
    }

    /// The names of attributes from number 8 on; unknown ones are left out.
    public static let names = [
        "rx-packets", "rx-bytes", "tx-packets", "tx-bytes", "rx-alloc-fail", "rx-hw-drops",
        "rx-hw-drop-overruns", "rx-csum-complete", "rx-csum-unnecessary", "rx-csum-none", "rx-csum-bad",
        "rx-hw-gro-packets", "rx-hw-gro-bytes", "rx-hw-gro-wire-packets", "rx-hw-gro-wire-bytes",
        "rx-hw-drop-ratelimits", "tx-hw-drops", "tx-hw-drop-errors", "tx-csum-none", "tx-needs-csum",
        "tx-hw-gso-packets", "tx-hw-gso-bytes", "tx-hw-gso-wire-packets", "tx-hw-gso-wire-bytes",
        "tx-hw-drop-ratelimits", "tx-stop", "tx-wake",
    ]
    private static let firstName = 8

    /// Reads an answer; nil for one that is not about a queue of the interface.
    public init?(_ attributes: Attributes, of index: UInt32) {
        guard attributes[1]?.uint32 == index, let queue = attributes[3]?.uint32,
            let direction = attributes[2]?.uint32.flatMap(Direction.init)
        else { return nil }
        self.queue = queue
        self.direction = direction
        values = attributes.compactMap { attribute in
            let place = attribute.type - Self.firstName
            guard Self.names.indices.contains(place), let value = attribute.uint else { return nil }
            return Value(name: Self.names[place], value: value)
        }
    }
}

extension NetdevSocket {
    /// What the driver counts of each queue of an interface; nil where it, or this kernel, does not.
    public mutating func queueStatistics(of index: UInt32) throws(NetlinkError) -> [QueueStatistics]? {
        do throws(NetlinkError) {
            return try generic.dump(
                family, command: Command.queueStatistics,
                operation: "read what the driver counts of its queues",
                subject: "interface with index \(index)"
            ) {
                $0.attribute(1, uint32: index)
                // NETDEV_QSTATS_SCOPE_QUEUE
                $0.attribute(4, uint32: 1)
            }.compactMap { QueueStatistics($0.attributes, of: index) }
        } catch {
            // A driver without them; a kernel without the command.
            if error.errno == .notSupportedOnSocket || error.errno == .invalidArgument { return nil }
            throw error
        }
    }
}
