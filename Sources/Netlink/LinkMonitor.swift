// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Tells what happens to the interfaces of one network namespace (`RTNLGRP_LINK`).
///
/// The kernel tells of a program attached over netlink only while the interface is up, and of one attached by
/// a bpf_link not at all.
public struct LinkMonitor: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    /// Events of a datagram that held several, the next one last.
    private var pending: [LinkEvent]

    /// Watches the calling thread's network namespace from now on.
    public init() throws(NetlinkError) {
        var socket = try NetlinkSocket(.route)
        try socket.join(group: Self.group)
        self.socket = socket
        pending = []
    }

    /// Watches a network namespace from now on; the calling thread stays where it is.
    public init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        var socket = try NetlinkSocket(.route, in: namespace)
        try socket.join(group: Self.group)
        self.socket = socket
        pending = []
    }

    private static let group = UInt32(RTNLGRP_LINK.rawValue)

    /// The descriptor, for poll(2) and its like; valid as long as the monitor. Call
    /// ``next(timeoutMilliseconds:)`` with 0 until it gives nil, since one readable moment may hold several
    /// events.
    public var fileDescriptor: CInt { socket.fileDescriptor }

    /// Waits for the next event.
    ///
    /// - Parameter timeoutMilliseconds: 0 looks without waiting; nil waits for ever.
    /// - Returns: nil when the time ran out.
    ///
    /// Throws `ENOBUFS` when events were lost because they were not read in time: list the interfaces anew,
    /// and go on.
    public mutating func next(timeoutMilliseconds: Int?) throws(NetlinkError) -> LinkEvent? {
        let start = monotonicMilliseconds()
        while pending.isEmpty {
            let left = timeoutMilliseconds.map { max($0 - (monotonicMilliseconds() - start), 0) }
            let messages = try socket.receiveNotifications(timeoutMilliseconds: left)
            pending = messages.compactMap { LinkEvent($0) }.reversed()
            if pending.isEmpty, let timeoutMilliseconds,
                monotonicMilliseconds() - start >= timeoutMilliseconds
            {
                return nil
            }
        }
        return pending.popLast()
    }
}
