// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Generic netlink: finds families and exchanges messages with them, in one network namespace.
public struct GenericNetlink: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace.
    public init() throws(NetlinkError) {
        socket = try NetlinkSocket(.generic)
    }

    /// Opens a socket in a network namespace; the calling thread stays where it is.
    public init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        socket = try NetlinkSocket(.generic, in: namespace)
    }

    /// The family with this name.
    ///
    /// Throws `ENOENT` when this kernel has no such family.
    public mutating func family(named name: String) throws(NetlinkError) -> GenericFamily {
        let operation = "find the generic netlink family"
        let subject = "family \(name)"
        let replies = try request(
            UInt16(GENL_ID_CTRL), command: UInt8(CTRL_CMD_GETFAMILY), version: 1, operation: operation,
            subject: subject
        ) { $0.attribute(CTRL_ATTR_FAMILY_NAME, string: name) }
        for reply in replies {
            if let family = GenericFamily(reply.attributes) { return family }
        }
        throw NetlinkError(operation: operation, subject: subject, errno: .badMessage)
    }

    /// Sends a request and waits for its acknowledgement.
    ///
    /// - Parameters:
    ///   - family: the family's number.
    ///   - command: the command's number within the family.
    ///   - version: the family's version that the request is written for.
    ///   - operation: what is wanted, for the error.
    ///   - subject: of what, for the error.
    ///   - attributes: appends the request's attributes.
    /// - Returns: the messages that answer it.
    ///
    /// Throws the kernel's error with its explanation; `EOPNOTSUPP` for a command that this kernel has not.
    public mutating func request(
        _ family: UInt16, command: UInt8, version: UInt8 = 1, operation: String, subject: String,
        _ attributes: (inout MessageBuilder) -> Void = { _ in }
    ) throws(NetlinkError) -> [GenericMessage] {
        let message = Self.message(family, command, version, attributes)
        return try socket.request(message, operation: operation, subject: subject).messages
            .compactMap { GenericMessage($0) }
    }

    /// Asks for a list and collects all of it.
    ///
    /// Parameters and errors are those of ``request(_:command:version:operation:subject:_:)``.
    public mutating func dump(
        _ family: UInt16, command: UInt8, version: UInt8 = 1, operation: String, subject: String,
        _ attributes: (inout MessageBuilder) -> Void = { _ in }
    ) throws(NetlinkError) -> [GenericMessage] {
        let message = Self.message(family, command, version, attributes)
        return try socket.dump(message, operation: operation, subject: subject)
            .compactMap { GenericMessage($0) }
    }

    private static func message(
        _ family: UInt16, _ command: UInt8, _ version: UInt8, _ attributes: (inout MessageBuilder) -> Void
    ) -> MessageBuilder {
        var message = MessageBuilder(type: Int(family))
        message.append(genlmsghdr(cmd: command, version: version, reserved: 0))
        attributes(&message)
        return message
    }
}
