// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// Which way packets to an address take.
public struct Route: Hashable, Sendable {
    /// The index of the interface that they leave by.
    public var interface: UInt32
    /// Who takes them on; nil where the address is on the link itself.
    public var gateway: IPAddress?
    /// Whether the address is one of this machine's own.
    public var isLocal: Bool

    public init(interface: UInt32, gateway: IPAddress? = nil, isLocal: Bool = false) {
        self.interface = interface
        self.gateway = gateway
        self.isLocal = isLocal
    }
}

extension RouteSocket {
    /// The way that packets to an address take, as the kernel would choose it now.
    ///
    /// - Parameters:
    ///   - address: where they go.
    ///   - source: their source address, which policy routing may look at; nil for none.
    ///
    /// Throws `ENETUNREACH` where there is no way.
    public mutating func route(
        to address: IPAddress, from source: IPAddress? = nil
    ) throws(NetlinkError) -> Route {
        // `struct rtmsg` and `RTA_…` of linux/rtnetlink.h.
        var header = rtmsg()
        header.rtm_family = address.family
        header.rtm_dst_len = UInt8(address.bytes.count * 8)
        var message = MessageBuilder(type: RTM_GETROUTE)
        if let source, source.isIPv6 == address.isIPv6 {
            header.rtm_src_len = UInt8(source.bytes.count * 8)
            message.append(header)
            message.attribute(Int(RTA_SRC.rawValue), bytes: source.bytes)
        } else {
            message.append(header)
        }
        message.attribute(Int(RTA_DST.rawValue), bytes: address.bytes)
        let operation = "find the route"
        let reply = try socket.request(message, operation: operation, subject: "address \(address)")
        for message in reply.messages {
            if let route = Route(message) { return route }
        }
        throw NetlinkError(operation: operation, subject: "address \(address)", errno: .badMessage)
    }

    /// The link-layer address of a neighbour, if the kernel knows it; nil if not. Linux 5.0.
    public mutating func neighbour(
        _ address: IPAddress, on index: UInt32
    ) throws(NetlinkError) -> HardwareAddress? {
        var header = ndmsg()
        header.ndm_family = address.family
        header.ndm_ifindex = Int32(bitPattern: index)
        var message = MessageBuilder(type: RTM_GETNEIGH)
        message.append(header)
        message.attribute(NDA_DST, bytes: address.bytes)
        do throws(NetlinkError) {
            let reply = try socket.request(
                message, operation: "find the neighbour", subject: "address \(address)")
            for message in reply.messages where message.type == RTM_NEWNEIGH {
                let attributes = message.attributes(after: MemoryLayout<ndmsg>.size)
                if let found = attributes[NDA_LLADDR], !found.value.isEmpty {
                    return HardwareAddress(Array(found.value))
                }
            }
            return nil
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }
}

extension Route {
    /// Reads `RTM_NEWROUTE`; nil for another message, and for a route that names no interface.
    init?(_ message: NetlinkMessage) {
        guard message.type == RTM_NEWROUTE,
            let type = message.payload[...].integer(UInt8.self, at: 7)
        else { return nil }
        let attributes = message.attributes(after: MemoryLayout<rtmsg>.size)
        guard let interface = attributes[Int(RTA_OIF.rawValue)]?.uint32 else { return nil }
        self.interface = interface
        isLocal = type == UInt8(RTN_LOCAL)
        // A gateway of the other family comes as `struct rtvia`: two bytes of family before the address.
        let gateway =
            attributes[Int(RTA_GATEWAY.rawValue)]?.value
            ?? attributes[Int(RTA_VIA.rawValue)]?.value.dropFirst(2)
        self.gateway = gateway.flatMap { IPAddress(bytes: $0) }
    }
}
