// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// rtnetlink: reads and changes the interfaces of one network namespace.
///
/// Every method throws ``NetlinkError`` with the kernel's explanation where there is one: `ENODEV` for an
/// interface that is not there, `EPERM` without `CAP_NET_ADMIN` for changes.
public struct RouteSocket: ~Copyable, Sendable {
    var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace.
    public init() throws(NetlinkError) {
        socket = try NetlinkSocket(.route)
    }

    /// Opens a socket in a network namespace; the calling thread stays where it is.
    public init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        socket = try NetlinkSocket(.route, in: namespace)
    }

    // MARK: - Reading

    /// All interfaces of the namespace, in the kernel's order.
    public mutating func links() throws(NetlinkError) -> [Link] {
        var message = MessageBuilder(type: RTM_GETLINK)
        message.append(ifinfomsg())
        message.attribute(IFLA_EXT_MASK, uint32: UInt32(RTEXT_FILTER_SKIP_STATS))
        return try socket.dump(message, operation: "list the interfaces", subject: "network namespace")
            .compactMap { Link($0) }
    }

    /// The interface with this name or alternative name.
    ///
    /// Throws `ENODEV` where there is none. Alternative names need Linux 5.5.
    public mutating func link(named name: String) throws(NetlinkError) -> Link {
        var message = MessageBuilder(type: RTM_GETLINK)
        message.append(ifinfomsg())
        message.attribute(name.utf8.count < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, string: name)
        return try link(message, subject: "interface \(name)")
    }

    /// The interface with this number.
    ///
    /// Throws `ENODEV` where there is none.
    public mutating func link(index: UInt32) throws(NetlinkError) -> Link {
        var message = MessageBuilder(type: RTM_GETLINK)
        message.append(Self.header(index))
        return try link(message, subject: "interface with index \(index)")
    }

    private mutating func link(
        _ message: MessageBuilder, subject: String
    ) throws(NetlinkError) -> Link {
        let operation = "find the interface"
        var message = message
        message.attribute(IFLA_EXT_MASK, uint32: UInt32(RTEXT_FILTER_SKIP_STATS))
        let reply = try socket.request(message, operation: operation, subject: subject)
        for message in reply.messages {
            if let link = Link(message) { return link }
        }
        throw NetlinkError(operation: operation, subject: subject, errno: .badMessage)
    }

    // MARK: - Requests about one interface

    /// Sends a change of an existing interface.
    ///
    /// The error names the interface by name and index where it can still be found.
    @discardableResult
    mutating func change(
        _ index: UInt32, operation: String, type: Int = RTM_NEWLINK, flags: UInt32 = 0, mask: UInt32 = 0,
        _ attributes: (inout MessageBuilder) -> Void = { _ in }
    ) throws(NetlinkError) -> NetlinkReply {
        var message = MessageBuilder(type: type)
        message.append(Self.header(index, flags: flags, mask: mask))
        attributes(&message)
        return try request(message, operation: operation, index: index)
    }

    /// Sends a request about an existing interface; the error names it by name and index where it can be
    /// found.
    mutating func request(
        _ message: MessageBuilder, operation: String, index: UInt32
    ) throws(NetlinkError) -> NetlinkReply {
        do throws(NetlinkError) {
            return try socket.request(message, operation: operation, subject: "interface with index \(index)")
        } catch {
            var error = error
            if let link = try? link(index: index) { error.subject = link.subject }
            throw error
        }
    }

    static func header(_ index: UInt32, flags: UInt32 = 0, mask: UInt32 = 0) -> ifinfomsg {
        var header = ifinfomsg()
        header.ifi_index = Int32(bitPattern: index)
        header.ifi_flags = flags
        header.ifi_change = mask
        return header
    }
}
