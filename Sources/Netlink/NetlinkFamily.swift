// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The netlink protocols that the toolkit speaks.
public enum NetlinkFamily: Hashable, Sendable {
    /// rtnetlink: interfaces, addresses, neighbours.
    case route
    /// Generic netlink: families with run-time numbers, such as `netdev` and `ethtool`.
    case generic
    /// Lists of sockets.
    case socketDiagnosis

    /// The protocol number for socket(2).
    var number: CInt {
        switch self {
        case .route: CInt(NETLINK_ROUTE)
        case .generic: CInt(NETLINK_GENERIC)
        case .socketDiagnosis: CInt(NETLINK_SOCK_DIAG)
        }
    }

    /// The subject of an error that concerns the socket itself.
    var subject: String {
        switch self {
        case .route: "route netlink socket"
        case .generic: "generic netlink socket"
        case .socketDiagnosis: "netlink socket for lists of sockets"
        }
    }
}
