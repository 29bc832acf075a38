// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

extension RouteSocket {
    /// An interface of another network namespace, by the number that this one has for it
    /// (``Link/peerNamespaceID``).
    ///
    /// Throws `EINVAL` for a number that stands for none, `EACCES` without CAP_NET_ADMIN there. Linux 4.20.
    public mutating func link(index: UInt32, inNamespace id: Int32) throws(NetlinkError) -> Link {
        let operation = "find the interface in another network namespace"
        let subject = "interface with index \(index) in the namespace with id \(id)"
        var message = MessageBuilder(type: RTM_GETLINK)
        message.append(Self.header(index))
        message.attribute(IFLA_TARGET_NETNSID, int32: id)
        message.attribute(IFLA_EXT_MASK, uint32: UInt32(RTEXT_FILTER_SKIP_STATS))
        for message in try socket.request(message, operation: operation, subject: subject).messages {
            if let link = Link(message) { return link }
        }
        throw NetlinkError(operation: operation, subject: subject, errno: .badMessage)
    }

    /// The number that the socket's namespace has for another one; nil where it has none.
    ///
    /// Layout of the messages, from `linux/net_namespace.h`: `struct rtgenmsg`, padded, then attributes
    /// `NETNSA_…`.
    public mutating func id(of namespace: borrowing NetworkNamespace) throws(NetlinkError) -> Int32? {
        var message = MessageBuilder(type: RTM_GETNSID)
        message.append(rtgenmsg(rtgen_family: UInt8(AF_UNSPEC)))
        message.attribute(NETNSA_FD, int32: namespace.fileDescriptor)
        let reply = try socket.request(
            message, operation: "ask for the number of a namespace", subject: namespace.subject)
        return Self.namespaceID(in: reply.messages)
    }

    static func namespaceID(in messages: [NetlinkMessage]) -> Int32? {
        for message in messages where message.type == RTM_NEWNSID {
            let id = message.attributes(after: MemoryLayout<rtgenmsg>.size)[NETNSA_NSID]?.int32
            // NETNSA_NSID_NOT_ASSIGNED is -1.
            if let id, id >= 0 { return id }
        }
        return nil
    }
}
