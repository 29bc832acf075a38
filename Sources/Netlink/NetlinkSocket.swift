// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// A netlink socket: sends requests to the kernel and collects its replies.
///
/// The kernel assigns the port (a process may own many sockets, so its id would not do). Extended and capped
/// acknowledgements and strict checking of dump requests are on. A socket belongs to the network namespace it
/// was opened in and can be used from any thread; exclusive access (the methods are mutating) keeps request
/// and reply together.
public struct NetlinkSocket: ~Copyable, Sendable {
    /// The protocol spoken.
    public let family: NetlinkFamily
    /// The address that the kernel assigned.
    public let port: UInt32

    let descriptor: Descriptor
    private var sequence: UInt32
    private var buffer: [UInt8]

    /// What the kernel fills one datagram of a dump with at most, if the reader has room for it.
    private static let initialBufferSize = 32 * 1024
    /// How often a dump that changed under the reader is begun anew.
    private static let dumpAttempts = 32

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// Throws what socket(2), setsockopt(2) or bind(2) say. Needs Linux 4.20.
    public init(_ family: NetlinkFamily) throws(NetlinkError) {
        self = try Self.opened(family)
    }

    private static func opened(_ family: NetlinkFamily) throws(NetlinkError) -> NetlinkSocket {
        do throws(Errno) {
            let descriptor = try NetlinkDoor.open(family)
            let options = [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]
            for option in options {
                try setOption(CInt(option), 1, of: descriptor.raw)
            }
            let port = try bindToAnyPort(descriptor.raw)
            return NetlinkSocket(family, port: port, descriptor: descriptor)
        } catch {
            throw NetlinkError(operation: "open a netlink socket", subject: family.subject, errno: error)
        }
    }

    /// Opens a socket in a network namespace; the calling thread stays where it is.
    ///
    /// Throws as ``init(_:)``, and what setns(2) says (`CAP_SYS_ADMIN` is needed).
    public init(_ family: NetlinkFamily, in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        self = try namespace.run { () throws(NetlinkError) in try NetlinkSocket(family) }
    }

    private init(_ family: NetlinkFamily, port: UInt32, descriptor: consuming Descriptor) {
        self.family = family
        self.port = port
        self.descriptor = descriptor
        sequence = 0
        buffer = [UInt8](repeating: 0, count: Self.initialBufferSize)
    }

    /// The descriptor, for poll(2) and its like; valid as long as the socket.
    public var fileDescriptor: CInt { descriptor.raw }

    /// Sends a request and waits for the kernel's acknowledgement.
    ///
    /// - Parameters:
    ///   - message: the request; number and flags are added.
    ///   - operation: what is wanted, for the error: “set the MTU”.
    ///   - subject: of what, for the error: “interface eth0 (index 4)”.
    /// - Returns: the messages that answer the request, and the kernel's warning.
    ///
    /// Throws the kernel's error with its explanation; `ENOBUFS` when replies were lost for want of memory;
    /// `EBADMSG` for a reply that is no netlink message.
    public mutating func request(
        _ message: MessageBuilder, operation: String, subject: String
    ) throws(NetlinkError) -> NetlinkReply {
        var warning: String?
        do throws(Refusal) {
            let number = try send(
                message, adding: CInt(NLM_F_REQUEST) | CInt(NLM_F_ACK), operation: operation, subject: subject
            )
            let (messages, _) = try collect(number) { warning = $0.text }
            return NetlinkReply(messages: messages, warning: warning)
        } catch {
            throw error.error(operation: operation, subject: subject)
        }
    }

    /// Asks for a list and collects all of it.
    ///
    /// A list that changed while the kernel gave it out (`NLM_F_DUMP_INTR`) is asked for again. Parameters
    /// and errors are those of ``request(_:operation:subject:)``; `EINTR` where the list never came to rest.
    public mutating func dump(
        _ message: MessageBuilder, operation: String, subject: String
    ) throws(NetlinkError) -> [NetlinkMessage] {
        do throws(Refusal) {
            for _ in 0..<Self.dumpAttempts {
                let number = try send(
                    message, adding: CInt(NLM_F_REQUEST) | CInt(NLM_F_DUMP), operation: operation,
                    subject: subject)
                let (messages, isConsistent) = try collect(number) { _ in }
                if isConsistent { return messages }
            }
            throw Refusal(errno: .interrupted, text: "the list kept changing while it was read")
        } catch {
            throw error.error(operation: operation, subject: subject)
        }
    }

    /// Joins a multicast group, whose messages ``receiveNotifications(timeoutMilliseconds:)`` then gives.
    ///
    /// - Parameter group: `RTNLGRP_…`, or the number of a generic family's group.
    ///
    /// Use a socket for notifications or for requests, not for both: a request skips notifications.
    public mutating func join(group: UInt32) throws(NetlinkError) {
        do throws(Errno) {
            try Self.setOption(
                CInt(NETLINK_ADD_MEMBERSHIP), CInt(bitPattern: group), of: descriptor.raw)
        } catch {
            throw NetlinkError(
                operation: "subscribe to notifications", subject: "\(family.subject), group \(group)",
                errno: error)
        }
    }

    /// Waits for the next datagram of notifications.
    ///
    /// - Parameter timeoutMilliseconds: 0 looks without waiting; nil waits for ever.
    /// - Returns: its messages; empty when the time ran out.
    ///
    /// Throws `ENOBUFS` when the kernel dropped notifications because they were not read in time: what was
    /// learnt from earlier ones may be out of date, ask for the list anew. The subscription stays.
    public mutating func receiveNotifications(
        timeoutMilliseconds: Int?
    ) throws(NetlinkError) -> [NetlinkMessage] {
        do throws(Errno) {
            guard try waitUntilReadable(descriptor.raw, timeoutMilliseconds: timeoutMilliseconds) else {
                return []
            }
            guard let datagram = try receive() else { return [] }
            return try NetlinkMessage.messages(in: datagram)
        } catch {
            throw NetlinkError(
                operation: "receive notifications", subject: family.subject, errno: error,
                kernelMessage: Self.explanation(of: error))
        }
    }

    // MARK: - Exchange

    /// An error number, with the words that came with it.
    private struct Refusal: Error {
        var errno: Errno
        var text: String?

        func error(operation: String, subject: String) -> NetlinkError {
            NetlinkError(
                operation: operation, subject: subject, errno: errno,
                kernelMessage: text ?? NetlinkSocket.explanation(of: errno))
        }
    }

    private mutating func send(
        _ message: MessageBuilder, adding flags: CInt, operation: String, subject: String
    ) throws(Refusal) -> UInt32 {
        sequence = sequence == .max ? 1 : sequence + 1
        do throws(Errno) {
            let bytes = try message.encoded(sequence: sequence, adding: flags)
            let passage = NetlinkDoor.observer?(
                .request(family, operation: operation, subject: subject, message: bytes))
            if let refusal = passage { throw refusal }
            let socket = descriptor.raw
            _ = try systemCall { Glibc.send(socket, bytes, bytes.count, 0) }
        } catch {
            throw Refusal(errno: error)
        }
        return sequence
    }

    /// Collects the replies to request `number` up to the message that ends them.
    private mutating func collect(
        _ number: UInt32, end: (Acknowledgement) -> Void
    ) throws(Refusal) -> (messages: [NetlinkMessage], isConsistent: Bool) {
        var replies: [NetlinkMessage] = []
        var isConsistent = true
        while true {
            for message in try receiveMessages() where message.sequence == number && message.port == port {
                if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
                switch message.type {
                case Int(NLMSG_DONE), Int(NLMSG_ERROR):
                    guard let acknowledgement = Acknowledgement(message) else {
                        throw Refusal(errno: .badMessage)
                    }
                    if let errno = acknowledgement.errno {
                        throw Refusal(errno: errno, text: acknowledgement.text)
                    }
                    end(acknowledgement)
                    return (replies, isConsistent)
                case Int(NLMSG_NOOP):
                    continue
                case Int(NLMSG_OVERRUN):
                    throw Refusal(errno: .noBufferSpace)
                default:
                    replies.append(message)
                }
            }
        }
    }

    private mutating func receiveMessages() throws(Refusal) -> [NetlinkMessage] {
        do throws(Errno) {
            guard let datagram = try receive() else { return [] }
            return try NetlinkMessage.messages(in: datagram)
        } catch {
            throw Refusal(errno: error)
        }
    }

    /// One datagram, of any size; nil where it was not the kernel that sent it.
    private mutating func receive() throws(Errno) -> ArraySlice<UInt8>? {
        let socket = descriptor.raw
        let size = try systemCall { recv(socket, nil, 0, CInt(MSG_PEEK | MSG_TRUNC)) }
        if size > buffer.count {
            buffer = [UInt8](repeating: 0, count: size)
        }
        var sender = sockaddr_nl()
        var senderSize = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let received = try systemCall {
            withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    recvfrom(
                        socket, &buffer, buffer.count, CInt(MSG_TRUNC), address, &senderSize)
                }
            }
        }
        guard received <= buffer.count else { throw .messageTooLong }
        guard sender.nl_family == UInt16(AF_NETLINK), sender.nl_pid == 0 else { return nil }
        return buffer[..<received]
    }

    // MARK: - Options

    private static func setOption(_ option: CInt, _ value: CInt, of socket: CInt) throws(Errno) {
        var value = value
        _ = try systemCall {
            setsockopt(socket, SOL_NETLINK, option, &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    private static func bindToAnyPort(_ socket: CInt) throws(Errno) -> UInt32 {
        var address = sockaddr_nl()
        address.nl_family = UInt16(AF_NETLINK)
        var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
        try withUnsafeMutablePointer(to: &address) { pointer throws(Errno) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic throws(Errno) in
                _ = try systemCall { bind(socket, generic, size) }
                _ = try systemCall { getsockname(socket, generic, &size) }
            }
        }
        return address.nl_pid
    }

    private static func explanation(of error: Errno) -> String? {
        error == .noBufferSpace ? "messages were lost because they were not read in time" : nil
    }
}
