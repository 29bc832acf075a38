// SPDX-License-Identifier: Apache-2.0
import CBPF

extension RouteSocket {
    /// Gives an interface an address.
    ///
    /// - Parameters:
    ///   - address: the address.
    ///   - prefixLength: the length of the network's prefix, in bits.
    ///   - index: the interface.
    ///   - skippingDuplicateDetection: IPv6: use it at once (`nodad`), instead of after about two seconds.
    ///
    /// Throws `EEXIST` for an address that the interface has; `EINVAL` for a prefix longer than the address.
    public mutating func addAddress(
        _ address: IPAddress, prefixLength: UInt8, to index: UInt32,
        skippingDuplicateDetection: Bool = false
    ) throws(NetlinkError) {
        var header = ifaddrmsg()
        header.ifa_family = address.family
        header.ifa_prefixlen = prefixLength
        header.ifa_index = index
        var message = MessageBuilder(type: RTM_NEWADDR, flags: CInt(NLM_F_CREATE) | CInt(NLM_F_EXCL))
        message.append(header)
        message.attribute(IFA_LOCAL, bytes: address.bytes)
        message.attribute(IFA_ADDRESS, bytes: address.bytes)
        if skippingDuplicateDetection {
            message.attribute(IFA_FLAGS, uint32: UInt32(IFA_F_NODAD))
        }
        _ = try request(message, operation: "add the address \(address)/\(prefixLength)", index: index)
    }

    /// Tells for good which link-layer address a neighbour has, so that nobody asks for it.
    ///
    /// - Parameters:
    ///   - address: the neighbour.
    ///   - hardwareAddress: its link-layer address.
    ///   - index: the interface it is reached through.
    ///
    /// Replaces what was known.
    public mutating func setPermanentNeighbour(
        _ address: IPAddress, at hardwareAddress: HardwareAddress, on index: UInt32
    ) throws(NetlinkError) {
        var header = ndmsg()
        header.ndm_family = address.family
        header.ndm_ifindex = Int32(bitPattern: index)
        header.ndm_state = UInt16(NUD_PERMANENT)
        var message = MessageBuilder(
            type: RTM_NEWNEIGH, flags: CInt(NLM_F_CREATE) | CInt(NLM_F_REPLACE))
        message.append(header)
        message.attribute(NDA_DST, bytes: address.bytes)
        message.attribute(NDA_LLADDR, bytes: hardwareAddress.bytes)
        _ = try request(
            message, operation: "set the neighbour \(address) to \(hardwareAddress)", index: index)
    }
}
