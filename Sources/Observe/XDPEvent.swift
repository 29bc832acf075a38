// SPDX-License-Identifier: Apache-2.0
import XDP

/// Something that one of the kernel's XDP tracepoints told (`/sys/kernel/tracing/events/xdp`), or so many like things.
///
/// Events that agree in everything but their number are added up in the kernel, so that a flood of them costs little and none
/// is lost; each comes at once when it is the first of its kind.
public struct XDPEvent: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// XDP_ABORTED, or a code that is no verdict.
        case exception
        /// A packet was on its way to a redirect's target: no failure.
        case redirect
        /// A packet could not be redirected.
        case redirectError = "redirect-error"
        /// Packets were handed to another interface through a devmap, or by an interface's number; some may have been dropped.
        case devmapTransmit = "devmap-transmit"
        /// Packets were put into a cpumap's queue, or taken out of it; some may have been dropped.
        case cpumapEnqueue = "cpumap-enqueue"
        case cpumapRun = "cpumap-run"
        /// XDP_TX: packets were handed back to the interface; some may have been dropped.
        case bulkTransmit = "bulk-transmit"
        /// A program could not be attached by a link (Linux 6.6); netlink tells whoever asked.
        case attachFailed = "attach-failed"
    }

    /// What events have to agree in to be added up. 0 stands for what an event does not have.
    public struct Key: Sendable, Hashable {
        public var kind: Kind
        /// The kernel's id of the program.
        public var program: UInt32
        /// Where the packet came in, and the inode of the network namespace that knows the interface by this number (the one
        /// that `readlink /proc/self/ns/net` shows).
        public var interface: UInt32
        public var namespace: UInt32
        /// The interface that a redirect led to, likewise; 0 where it led to a CPU or a socket, or nowhere.
        public var target: UInt32
        public var targetNamespace: UInt32
        /// The id of the map of a redirect, its type (`enum bpf_map_type`), and the key in it.
        public var map: UInt32
        public var mapType: UInt32
        public var mapKey: UInt32
        /// As the kernel has it: -95.
        public var error: Int32
        /// The verdict of an exception.
        public var verdict: UInt32
        /// The CPU that a cpumap's queue belongs to; 0 for everything else.
        public var cpu: UInt32

        public init(
            kind: Kind, program: UInt32 = 0, interface: UInt32 = 0, namespace: UInt32 = 0, target: UInt32 = 0,
            targetNamespace: UInt32 = 0, map: UInt32 = 0, mapType: UInt32 = 0, mapKey: UInt32 = 0,
            error: Int32 = 0, verdict: UInt32 = 0, cpu: UInt32 = 0
        ) {
            self.kind = kind
            self.program = program
            self.interface = interface
            self.namespace = namespace
            self.target = target
            self.targetNamespace = targetNamespace
            self.map = map
            self.mapType = mapType
            self.mapKey = mapKey
            self.error = error
            self.verdict = verdict
            self.cpu = cpu
        }
    }

    public var key: Key
    /// Of the last one, in nanoseconds of CLOCK_MONOTONIC.
    public var time: UInt64
    /// How often since it was last told of.
    public var count: UInt64
    /// Packets that were dropped in them, and that were not.
    public var dropped: UInt64
    public var sent: UInt64
    /// What the kernel said of a failed attach.
    public var text: String
    /// Who tried it: the process, as process 1 sees it, and its name; 0 and empty elsewhere.
    public var process: UInt32
    public var command: String

    public init(
        key: Key, time: UInt64, count: UInt64 = 1, dropped: UInt64 = 0, sent: UInt64 = 0, text: String = "",
        process: UInt32 = 0, command: String = ""
    ) {
        self.key = key
        self.time = time
        self.count = count
        self.dropped = dropped
        self.sent = sent
        self.text = text
        self.process = process
        self.command = command
    }

    /// Adds what came later of the same kind.
    public mutating func add(_ later: XDPEvent) {
        time = max(time, later.time)
        count &+= later.count
        dropped &+= later.dropped
        sent &+= later.sent
    }
}
