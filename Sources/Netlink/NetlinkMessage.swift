// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// One message from the kernel.
///
/// Layout of the header, from `linux/netlink.h` (`struct nlmsghdr`), host byte order, start aligned to four
/// bytes:
///
/// | Offset | Size | Field |
/// |---|---|---|
/// | 0 | 4 | length of header and payload |
/// | 4 | 2 | type |
/// | 6 | 2 | flags |
/// | 8 | 4 | sequence number of the request that this answers |
/// | 12 | 4 | port of the socket that asked |
public struct NetlinkMessage: Hashable, Sendable {
    /// What the message is: `RTM_…` of rtnetlink, the family's number of generic netlink, or `NLMSG_…`.
    public var type: Int
    /// `NLM_F_…`.
    public var flags: UInt16
    /// The request's number; 0 in a notification.
    public var sequence: UInt32
    /// The port of the socket that sent the request.
    public var port: UInt32
    /// What follows the header, without padding.
    public var payload: [UInt8]

    /// A message of these parts.
    public init(type: Int, flags: UInt16, sequence: UInt32, port: UInt32, payload: [UInt8]) {
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.port = port
        self.payload = payload
    }

    /// The attributes that follow a fixed header of `offset` bytes in the payload.
    public func attributes(after offset: Int) -> Attributes {
        Attributes(payload[...].suffix(after: netlinkAligned(offset)))
    }

    /// Takes a datagram apart into its messages.
    ///
    /// Throws `Errno.badMessage` where a length is below that of a header or beyond the end.
    public static func messages(in datagram: ArraySlice<UInt8>) throws(Errno) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = datagram
        while !rest.isEmpty {
            guard let length = rest.integer(UInt32.self, at: 0).map(Int.init),
                let type = rest.integer(UInt16.self, at: 4),
                let flags = rest.integer(UInt16.self, at: 6),
                let sequence = rest.integer(UInt32.self, at: 8),
                let port = rest.integer(UInt32.self, at: 12),
                length >= headerSize, length <= rest.count
            else { throw .badMessage }
            messages.append(
                NetlinkMessage(
                    type: Int(type), flags: flags, sequence: sequence, port: port,
                    payload: Array(rest.prefix(length).suffix(after: headerSize))))
            rest = rest.suffix(after: netlinkAligned(length))
        }
        return messages
    }

    static let headerSize = MemoryLayout<nlmsghdr>.size
}
