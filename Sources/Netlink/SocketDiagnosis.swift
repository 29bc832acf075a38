// SPDX-License-Identifier: Apache-2.0
import CBPF

/// An AF_XDP socket, as the kernel lists it.
///
/// Layout of the answer (`struct xdp_diag_msg`, linux/xdp_diag.h), host byte order; attributes follow:
///
/// | Offset | Size | Field |
/// |---|---|---|
/// | 0 | 1 | family, 44 |
/// | 4 | 4 | inode |
/// | 8 | 8 | cookie |
///
/// | Attribute | Content |
/// |---|---|
/// | 1 `XDP_DIAG_INFO` | u32 interface, u32 queue; only of a socket that is bound |
/// | 9 `XDP_DIAG_STATS` (Linux 5.9) | u64 each: rx dropped, rx invalid, rx full, fill ring empty, tx invalid, tx ring empty |
public struct XDPSocketInformation: Hashable, Sendable {
    /// What `/proc/PID/fd` shows of it: "socket:[4711]".
    public var inode: UInt32
    /// What it is bound to; 0 where it is not.
    public var interface: UInt32 = 0
    public var queue: UInt32 = 0
    /// Packets that it did not get, for any reason.
    public var dropped: UInt64 = 0
    /// Packets that its receive ring had no room for.
    public var receiveFull: UInt64 = 0
    /// How often its fill ring had no buffer for a packet.
    public var fillEmpty: UInt64 = 0

    /// Reads an answer; nil for another message.
    public init?(_ message: NetlinkMessage) {
        let payload = message.payload[...]
        guard message.type == SocketDiagnosis.byFamily, payload.count >= 16,
            payload.integer(UInt8.self, at: 0) == SocketDiagnosis.xdpFamily,
            let inode = payload.integer(UInt32.self, at: 4)
        else { return nil }
        self.inode = inode
        for attribute in message.attributes(after: 16) {
            let value = attribute.value
            switch attribute.type {
            case 1:
                interface = value.integer(UInt32.self, at: 0) ?? 0
                queue = value.integer(UInt32.self, at: 4) ?? 0
            case 9:
                dropped = value.integer(UInt64.self, at: 0) ?? 0
                receiveFull = value.integer(UInt64.self, at: 16) ?? 0
                fillEmpty = value.integer(UInt64.self, at: 24) ?? 0
            default: break
            }
        }
    }
}

/// Asks for the sockets of the calling thread's network namespace (`NETLINK_SOCK_DIAG`).
public enum SocketDiagnosis {
    /// `SOCK_DIAG_BY_FAMILY`, linux/sock_diag.h.
    static let byFamily = 20
    /// `AF_XDP`.
    static let xdpFamily: UInt8 = 44
    /// `XDP_SHOW_INFO | XDP_SHOW_STATS`.
    private static let shown: UInt32 = 1 << 0 | 1 << 4

    /// The AF_XDP sockets.
    ///
    /// Throws `ENOENT` or `EOPNOTSUPP` where the kernel is built without `CONFIG_XDP_SOCKETS_DIAG`.
    public static func xdpSockets() throws(NetlinkError) -> [XDPSocketInformation] {
        var socket = try NetlinkSocket(.socketDiagnosis)
        var message = MessageBuilder(type: byFamily)
        // struct xdp_diag_req: family, protocol, padding, inode, what to show, cookie.
        message.append(
            (xdpFamily, UInt8(0), UInt16(0), UInt32(0), shown, UInt32.max, UInt32.max)
        )
        return try socket.dump(message, operation: "list the AF_XDP sockets", subject: "network namespace")
            .compactMap { XDPSocketInformation($0) }
    }
}
