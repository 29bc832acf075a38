// SPDX-License-Identifier: Apache-2.0
import XDP

/// What all sides counted on an interface at a moment. Counters only grow; a difference of two samples is what happened between
/// them.
public struct InterfaceSample: Sendable, Hashable {
    /// A number with the name that its owner gives it.
    public struct Named: Sendable, Hashable {
        public var name: String
        public var value: UInt64

        public init(name: String, value: UInt64) {
            self.name = name
            self.value = value
        }
    }

    /// A member of the chain.
    public struct Member: Sendable, Hashable {
        public var name: String
        public var counters: MemberCounters

        public init(name: String, counters: MemberCounters) {
            self.name = name
            self.counters = counters
        }
    }

    /// Nanoseconds of CLOCK_MONOTONIC.
    public var time: UInt64
    public var interface: String
    public var index: UInt32
    /// The driver's name; empty where it says none.
    public var driver: String
    /// nil where no chain is attached, or it counts nothing.
    public var members: [Member]?
    /// Of how many changes the chain is the result: between different ones members may have come and gone.
    public var generation: UInt64?
    /// What the network stack counts (`rtnl_link_stats64`, linux/if_link.h), by those names: rx_packets, rx_dropped, …
    public var stack: [Named]
    /// What the driver counts (`ethtool -S`), by its own names.
    public var driverCounters: [Named]

    public init(
        time: UInt64, interface: String, index: UInt32, driver: String = "", members: [Member]? = nil,
        generation: UInt64? = nil, stack: [Named] = [], driverCounters: [Named] = []
    ) {
        self.time = time
        self.interface = interface
        self.index = index
        self.driver = driver
        self.members = members
        self.generation = generation
        self.stack = stack
        self.driverCounters = driverCounters
    }
}
