// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The `netdev` family of generic netlink, in one network namespace. Linux 6.3.
public struct NetdevSocket: ~Copyable, Sendable {
    var generic: GenericNetlink
    let family: UInt16

    /// `NETDEV_CMD_…` of linux/netdev.h.
    enum Command {
        static let get: UInt8 = 1
        static let added: UInt8 = 2
        static let deleted: UInt8 = 3
        static let changed: UInt8 = 4
        /// Linux 6.9.
        static let queueStatistics: UInt8 = 12
    }

    static let familyName = "netdev"
    /// The group of notifications, `NETDEV_MCGRP_MGMT`.
    static let groupName = "mgmt"

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// Throws `ENOENT` where this kernel has no such family.
    public init() throws(NetlinkError) {
        var generic = try GenericNetlink()
        family = try generic.family(named: Self.familyName).id
        self.generic = generic
    }

    /// Opens a socket as ``init()``; nil where this kernel has no such family.
    public static func whereKnown() throws(NetlinkError) -> NetdevSocket? {
        do throws(NetlinkError) {
            return try NetdevSocket()
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// All interfaces of the namespace.
    public mutating func devices() throws(NetlinkError) -> [NetdevDevice] {
        try generic.dump(
            family, command: Command.get, operation: "list what the interfaces can do",
            subject: "network namespace"
        ).compactMap { NetdevDevice($0.attributes) }
    }

    /// One interface.
    ///
    /// Throws `ENODEV` where there is none of that index.
    public mutating func device(_ index: UInt32) throws(NetlinkError) -> NetdevDevice {
        let operation = "ask what the driver can do"
        let subject = "interface with index \(index)"
        let replies = try generic.request(
            family, command: Command.get, operation: operation, subject: subject
        ) { $0.attribute(1, uint32: index) }
        for reply in replies {
            if let device = NetdevDevice(reply.attributes) { return device }
        }
        throw NetlinkError(operation: operation, subject: subject, errno: .badMessage)
    }
}
