// SPDX-License-Identifier: Apache-2.0
import BPF
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
        /// The verdicts with which a packet leaves the chain here.
        public var endings: Set<Verdict> = []
        /// Whether it has a program of its own: then packets that it missed are counted under the fallback verdict, too.
        public var isSeparate = false
        /// Its place in the counters; a member that was taken away and comes again under the same name begins anew.
        public var counterSlot = -1
        /// Whether it is a packet filter, whose rules count for themselves.
        public var isFilter = false

        public init(name: String, counters: MemberCounters) {
            self.name = name
            self.counters = counters
        }
    }

    /// A queue, as its driver counts it (``Netlink/QueueStatistics``), by the names of the kernel's specification.
    public struct Queue: Sendable, Hashable {
        public var number: UInt32
        public var receives: Bool
        public var counters: [Named]

        public init(number: UInt32, receives: Bool, counters: [Named]) {
            self.number = number
            self.receives = receives
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
    /// What the driver counts of each queue, where driver and kernel do (Linux 6.9).
    public var queues: [Queue] = []
    /// How the attached program runs, whoever loaded it; nil where none is attached.
    public var mode: AttachMode?
    /// The kernel's id of that program.
    public var programID: UInt32?
    /// What a chain counts; nil where the program is none.
    public var counting: CounterMode?
    /// The verdict of packets that could not be handed on.
    public var fallback = Verdict.aborted
    /// Packets that the chain counted while the rest of the sample was taken: by so many the sums of a sample may differ while
    /// packets flow.
    public var uncertainty: UInt64 = 0
    /// Whether generic receive offload may join packets before the stack counts them; nil where that is not known.
    public var hasReceiveOffload: Bool?

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

    /// A counter of the stack by its name; nil where this kernel has none.
    public func stackCounter(_ name: String) -> UInt64? { stack.first { $0.name == name }?.value }
    /// A counter of the driver by its name; nil where it has none.
    public func driverCounter(_ name: String) -> UInt64? { driverCounters.first { $0.name == name }?.value }
    /// A member of the chain by its name.
    public func member(_ name: String) -> Member? { members?.first { $0.name == name } }
}
