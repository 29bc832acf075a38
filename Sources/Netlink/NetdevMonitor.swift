// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Tells when what the interfaces of one network namespace can do changes (group `mgmt` of the `netdev` family).
/// Linux 6.3.
///
/// On veth the kernel tells of an end when a program or GRO comes or goes on the other. Of the interface's name,
/// MTU and state it tells nothing: ``LinkMonitor`` does.
public struct NetdevMonitor: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    private let family: UInt16
    /// Events of a datagram that held several, the next one last.
    private var pending: [NetdevEvent] = []

    /// Watches the calling thread's network namespace from now on.
    ///
    /// Throws `ENOENT` where this kernel has no such family.
    public init() throws(NetlinkError) {
        var generic = try GenericNetlink()
        let description = try generic.family(named: NetdevSocket.familyName)
        guard let group = description.multicastGroups[NetdevSocket.groupName] else {
            throw NetlinkError(
                operation: "subscribe to notifications", subject: "family \(NetdevSocket.familyName)",
                errno: .noSuchFileOrDirectory)
        }
        var socket = try NetlinkSocket(.generic)
        try socket.join(group: group)
        family = description.id
        self.socket = socket
    }

    /// Watches as ``init()``; nil where this kernel has no such family.
    public static func whereKnown() throws(NetlinkError) -> NetdevMonitor? {
        do throws(NetlinkError) {
            return try NetdevMonitor()
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// The descriptor, for poll(2) and its like; valid as long as the monitor. Call
    /// ``next(timeoutMilliseconds:)`` with 0 until it gives nil.
    public var fileDescriptor: CInt { socket.fileDescriptor }

    /// Waits for the next event.
    ///
    /// - Parameter timeoutMilliseconds: 0 looks without waiting; nil waits for ever.
    /// - Returns: nil when the time ran out.
    ///
    /// Throws `ENOBUFS` when events were lost because they were not read in time: ask anew, and go on.
    public mutating func next(timeoutMilliseconds: Int?) throws(NetlinkError) -> NetdevEvent? {
        let timeout = timeoutMilliseconds.map { max($0, 0) }
        let start = monotonicMilliseconds()
        while pending.isEmpty {
            let left = timeout.map { max($0 - (monotonicMilliseconds() - start), 0) }
            let messages = try socket.receiveNotifications(timeoutMilliseconds: left)
            pending = messages.compactMap { GenericMessage($0) }
                .filter { $0.family == family }.compactMap { NetdevEvent($0) }.reversed()
            if pending.isEmpty, let timeout, monotonicMilliseconds() - start >= timeout { return nil }
        }
        return pending.popLast()
    }
}
