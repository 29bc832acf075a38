// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Packets

/// A safe place to try things: two network namespaces joined by a veth pair.
///
///     namespace xdplab                     namespace xdplab-peer
///     eth0 192.0.2.1, 2001:db8::1  ◀────▶  wire0 192.0.2.2, 2001:db8::2
///
/// Chains go on `eth0`; packets come from `wire0`. The peer runs a program that passes everything, because
/// a veth takes transmitted and redirected packets only if its peer runs one.
public struct Lab: Sendable, Hashable {
    /// The namespace with the interface for chains; the other one is called the same with "-peer" behind.
    public let name: String

    public static let interface = "eth0"
    public static let peerInterface = "wire0"
    public static let address = "192.0.2.1"
    public static let peerAddress = "192.0.2.2"
    static let hardwareAddress = HardwareAddress([2, 0, 0, 0, 0, 1])
    static let peerHardwareAddress = HardwareAddress([2, 0, 0, 0, 0, 2])

    public var peerName: String { name + "-peer" }

    public init(name: String = "xdplab") {
        self.name = name
    }

    /// Whether both namespaces are there.
    public func isUp() throws(XDPError) -> Bool {
        do throws(NetlinkError) {
            let names = Set(try NetworkNamespace.list().map(\.name))
            return names.isSuperset(of: [name, peerName])
        } catch {
            throw XDPError(error, during: "The lab \(name) cannot be looked up")
        }
    }

    /// Makes the lab; if that fails half way nothing is left of it.
    public func up() throws(XDPError) {
        let what = "The lab \(name) cannot be made"
        if try isUp() {
            throw XDPError(
                .refused, what, because: "it is there already", remedy: "`xdpctl lab down` takes it away")
        }
        do throws(XDPError) {
            try build(what)
        } catch {
            try? down()
            throw error
        }
    }

    private func build(_ what: String) throws(XDPError) {
        do throws(NetlinkError) {
            let lab = try NetworkNamespace.create(name: name)
            let peer = try NetworkNamespace.create(name: peerName)
            for namespace in [name, peerName] {
                let entered = try NetworkNamespace(name: namespace)
                try entered.run { () throws(NetlinkError) in Self.quietIPv6() }
                try entered.bringLoopbackUp()
            }
            let descriptor = peer.fileDescriptor
            try lab.run { () throws(NetlinkError) in
                var socket = try RouteSocket()
                let link = try socket.createVeth(
                    Self.interface, peer: Self.peerInterface, peerNamespace: descriptor,
                    hardwareAddress: Self.hardwareAddress, peerHardwareAddress: Self.peerHardwareAddress)
                try Self.configure(
                    &socket, link.index, IPAddress(192, 0, 2, 1), 1, neighbour: IPAddress(192, 0, 2, 2), 2,
                    at: Self.peerHardwareAddress)
            }
            try peer.run { () throws(NetlinkError) in
                var socket = try RouteSocket()
                let link = try socket.link(named: Self.peerInterface)
                try Self.configure(
                    &socket, link.index, IPAddress(192, 0, 2, 2), 2, neighbour: IPAddress(192, 0, 2, 1), 1,
                    at: Self.hardwareAddress)
            }
        } catch {
            throw XDPError(error, during: what)
        }
        try attachToPeer(what)
    }

    /// Router solicitations and multicast reports would be counted by the chains.
    private static func quietIPv6() {
        for setting in [
            "conf/default/accept_ra=0", "conf/default/addr_gen_mode=1", "conf/default/router_solicitations=0",
        ] {
            let parts = setting.split(separator: "=")
            guard let file = fopen("/proc/sys/net/ipv6/\(parts[0])", "w") else { continue }
            fputs(String(parts[1]), file)
            fclose(file)
        }
    }

    private static func configure(
        _ socket: inout RouteSocket, _ index: UInt32, _ address: IPAddress, _ host: UInt8,
        neighbour: IPAddress, _ neighbourHost: UInt8, at hardware: HardwareAddress
    ) throws(NetlinkError) {
        let prefix: [UInt8] = [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11)
        try socket.setUp(index)
        try socket.addAddress(address, prefixLength: 24, to: index)
        try socket.setPermanentNeighbour(neighbour, at: hardware, on: index)
        guard let own = IPAddress(bytes: prefix + [host]),
            let other = IPAddress(bytes: prefix + [neighbourHost])
        else { return }
        do throws(NetlinkError) {
            try socket.addAddress(own, prefixLength: 64, to: index, skippingDuplicateDetection: true)
            try socket.setPermanentNeighbour(other, at: hardware, on: index)
        } catch {
            // A machine without IPv6 has a lab without it: EOPNOTSUPP, EACCES or EPERM where it is disabled.
            guard [95, 13, 1].contains(error.errno.rawValue) else { throw error }
        }
    }

    private func attachToPeer(_ what: String) throws(XDPError) {
        let program: Program
        do throws(BPFError) {
            program = try Program.load(.passing("xdplab_peer")).take()
        } catch {
            throw XDPError(error, during: what)
        }
        let number = program.descriptor.rawValue
        do throws(NetlinkError) {
            let peer = try NetworkNamespace(name: peerName)
            try peer.run { () throws(NetlinkError) in
                var socket = try RouteSocket()
                let link = try socket.link(named: Self.peerInterface)
                try socket.attachXDP(number, to: link.index, mode: .native, expecting: .nothing)
            }
        } catch {
            throw XDPError(error, during: what)
        }
    }

    /// Takes the lab away, with everything in it; what is not there is no error.
    public func down() throws(XDPError) {
        let what = "The lab \(name) cannot be taken away"
        do throws(NetlinkError) {
            let names = Set(try NetworkNamespace.list().map(\.name))
            if names.contains(name) {
                // The namespace's own end comes later than its name's; the chain shall be gone by then.
                try NetworkNamespace(name: name).run { () throws(NetlinkError) in
                    var socket = try RouteSocket()
                    for link in try socket.links() where link.name == Self.interface {
                        try socket.deleteLink(link.index)
                    }
                }
            }
            for present in [name, peerName] where names.contains(present) {
                try NetworkNamespace.delete(name: present)
            }
        } catch {
            throw XDPError(error, during: what)
        }
        if let pins = try? PinKeeper() { pins.sweep(givenUp: []) }
    }

    /// Enters the lab, or its peer, with the calling thread.
    public func enter(peer: Bool) throws(XDPError) {
        do throws(NetlinkError) {
            try NetworkNamespace(name: peer ? peerName : name).enter()
        } catch {
            throw XDPError(
                .failed, "The lab \(name) cannot be entered",
                because: "it is not there (\(error.description))",
                remedy: "`xdpctl lab up` makes it")
        }
    }

    /// What came of sending packets into the lab.
    public struct Sent: Sendable, Hashable {
        public let packets: Int
        /// How many of the same protocol came back to the peer: transmitted by a member, or answered by the
        /// stack. What hosts say to each other beside (neighbour discovery, multicast reports) does not count.
        public let cameBack: Int
    }

    /// The EtherType behind VLAN tags, and the protocol in an IP header; what is cut short has none.
    private static func protocols(_ frame: some RandomAccessCollection<UInt8>) -> [UInt16] {
        let bytes = Array(frame.prefix(64))
        func number(at offset: Int) -> UInt16 {
            offset + 1 < bytes.count ? UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) : 0
        }
        var offset = 12
        while [0x8100, 0x88a8].contains(number(at: offset)) { offset += 4 }
        switch number(at: offset) {
        case 0x0800: return [0x0800, number(at: offset + 10) & 0xff]
        case 0x86dd: return [0x86dd, number(at: offset + 8) >> 8]
        case let other: return [other]
        }
    }

    /// Sends packets from the peer to the interface for chains. The calling thread enters the peer.
    public func send(_ packet: Packet, count: Int) throws(XDPError) -> Sent {
        try enter(peer: true)
        let peer = try Interface(named: Self.peerInterface)
        do throws(PacketDeviceError) {
            let socket = try PacketSocket(interface: peer.index)
            try socket.discard()
            try socket.send(packet, times: count)
            let sent = Self.protocols(packet.bytes)
            let cameBack = try socket.count(within: .milliseconds(100)) { frame in
                Self.protocols(frame) == sent
            }
            return Sent(packets: count, cameBack: cameBack)
        } catch {
            throw XDPError(.failed, "Packets cannot be sent into the lab", because: error.description)
        }
    }
}
