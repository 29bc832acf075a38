// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

extension RouteSocket {
    /// Makes a pair of virtual Ethernet interfaces; what enters one end leaves the other.
    ///
    /// - Parameters:
    ///   - name: the near end, in the socket's namespace.
    ///   - peer: the far end.
    ///   - peerNamespace: the descriptor of the far end's namespace; nil for the same.
    ///   - mtu: of both ends, in bytes; nil leaves the default of 1500.
    ///   - hardwareAddress: of the near end; nil for a random one.
    ///   - peerHardwareAddress: of the far end; nil for a random one.
    ///   - queues: receive and transmit queues of both ends; nil leaves the kernel's default.
    /// - Returns: the near end. Both ends are down.
    ///
    /// Throws `EEXIST` for a name that is taken.
    @discardableResult
    public mutating func createVeth(
        _ name: String, peer: String, peerNamespace: CInt? = nil, mtu: UInt32? = nil,
        hardwareAddress: HardwareAddress? = nil, peerHardwareAddress: HardwareAddress? = nil,
        queues: UInt32? = nil
    ) throws(NetlinkError) -> Link {
        func appendEnd(_ name: String, _ address: HardwareAddress?, to message: inout MessageBuilder) {
            message.attribute(IFLA_IFNAME, string: name)
            if let mtu { message.attribute(IFLA_MTU, uint32: mtu) }
            if let address { message.attribute(IFLA_ADDRESS, bytes: address.bytes) }
            if let queues {
                message.attribute(IFLA_NUM_TX_QUEUES, uint32: queues)
                message.attribute(IFLA_NUM_RX_QUEUES, uint32: queues)
            }
        }
        var message = Self.creation()
        appendEnd(name, hardwareAddress, to: &message)
        message.nest(IFLA_LINKINFO) { info in
            info.attribute(IFLA_INFO_KIND, string: "veth")
            info.nest(IFLA_INFO_DATA) { data in
                data.nest(VETH_INFO_PEER) { end in
                    end.append(ifinfomsg())
                    appendEnd(peer, peerHardwareAddress, to: &end)
                    if let peerNamespace { end.attribute(IFLA_NET_NS_FD, int32: peerNamespace) }
                }
            }
        }
        _ = try socket.request(
            message, operation: "create the veth pair", subject: "interface \(name) with peer \(peer)")
        return try link(named: name)
    }

    /// Makes an interface of a kind that needs no settings, such as `bridge` or `ifb`; it is down.
    ///
    /// Throws `EEXIST` for a name that is taken, `EOPNOTSUPP` for a kind that this kernel has not.
    @discardableResult
    public mutating func createLink(_ name: String, kind: String) throws(NetlinkError) -> Link {
        var message = Self.creation()
        message.attribute(IFLA_IFNAME, string: name)
        message.nest(IFLA_LINKINFO) { $0.attribute(IFLA_INFO_KIND, string: kind) }
        _ = try socket.request(
            message, operation: "create the interface", subject: "interface \(name) of kind \(kind)")
        return try link(named: name)
    }

    /// Deletes an interface; of a veth pair both ends.
    public mutating func deleteLink(_ index: UInt32) throws(NetlinkError) {
        try change(index, operation: "delete the interface", type: RTM_DELLINK)
    }

    /// Sets an interface up.
    public mutating func setUp(_ index: UInt32) throws(NetlinkError) {
        let up = Link.Flags.up.rawValue
        try change(index, operation: "set up the interface", flags: up, mask: up)
    }

    /// Sets an interface down.
    public mutating func setDown(_ index: UInt32) throws(NetlinkError) {
        try change(index, operation: "set down the interface", flags: 0, mask: Link.Flags.up.rawValue)
    }

    /// Sets the largest packet, in bytes, without the link-layer header.
    ///
    /// Throws `EINVAL` for what the driver does not take.
    public mutating func setMTU(_ mtu: UInt32, of index: UInt32) throws(NetlinkError) {
        try change(index, operation: "set the MTU to \(mtu) bytes") { $0.attribute(IFLA_MTU, uint32: mtu) }
    }

    /// Gives an interface another name of at most 15 bytes.
    ///
    /// Throws `EEXIST` for a name that is taken; before Linux 6.2 `EBUSY` while the interface is up.
    public mutating func rename(_ index: UInt32, to name: String) throws(NetlinkError) {
        try change(index, operation: "rename to \(name)") { $0.attribute(IFLA_IFNAME, string: name) }
    }

    /// Gives an interface a further name of at most 127 bytes. Needs Linux 5.5.
    ///
    /// Throws `EEXIST` for a name that is taken.
    public mutating func addAlternativeName(_ name: String, to index: UInt32) throws(NetlinkError) {
        var message = MessageBuilder(
            type: RTM_NEWLINKPROP, flags: CInt(NLM_F_CREATE) | CInt(NLM_F_EXCL) | CInt(NLM_F_APPEND))
        message.append(Self.header(index))
        message.nest(IFLA_PROP_LIST) { $0.attribute(IFLA_ALT_IFNAME, string: name) }
        _ = try request(message, operation: "add the name \(name)", index: index)
    }

    /// Moves an interface to another network namespace, where it is down and may get another index.
    ///
    /// - Parameter namespace: the descriptor of the namespace.
    ///
    /// Throws `EEXIST` when the name is taken there; `EINVAL` for an interface that must stay, such as the
    /// loopback.
    public mutating func move(_ index: UInt32, to namespace: CInt) throws(NetlinkError) {
        try change(index, operation: "move to another network namespace") {
            $0.attribute(IFLA_NET_NS_FD, int32: namespace)
        }
    }

    /// Moves an interface to another network namespace; as ``move(_:to:)-(UInt32,CInt)``.
    public mutating func move(
        _ index: UInt32, to namespace: borrowing NetworkNamespace
    ) throws(NetlinkError) {
        try move(index, to: namespace.fileDescriptor)
    }

    /// Sets the link-layer address.
    ///
    /// Throws `EBUSY` when the driver takes one only while the interface is down.
    public mutating func setHardwareAddress(
        _ address: HardwareAddress, of index: UInt32
    ) throws(NetlinkError) {
        try change(index, operation: "set the hardware address to \(address)") {
            $0.attribute(IFLA_ADDRESS, bytes: address.bytes)
        }
    }

    /// Makes an interface a port of a bridge, bond or team; nil takes it out.
    public mutating func setMaster(_ master: UInt32?, of index: UInt32) throws(NetlinkError) {
        try change(index, operation: "set the master") { $0.attribute(IFLA_MASTER, uint32: master ?? 0) }
    }

    private static func creation() -> MessageBuilder {
        var message = MessageBuilder(type: RTM_NEWLINK, flags: CInt(NLM_F_CREATE) | CInt(NLM_F_EXCL))
        message.append(ifinfomsg())
        return message
    }
}
