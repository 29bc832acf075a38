// SPDX-License-Identifier: Apache-2.0
import Netlink

/// A packet in one line, for people: `tcp 192.0.2.1:40000 > 198.51.100.7:22 [S] len 60`.
///
/// It says what ``PacketFields`` knows: of a later fragment no ports, of what is cut off nothing.
public struct PacketSummary: Sendable, Hashable, CustomStringConvertible {
    /// The transport protocol by its name or number, or what else the frame is: "arp", "ethertype 0x88cc".
    public var kind: String
    /// The address and, with a colon, the port; of other frames the MAC address.
    public var source: String
    public var destination: String
    /// What else there is to say: TCP's flags, ICMP's type, fragments, VLANs.
    public var details: [String]
    /// The frame's length.
    public var length: UInt32

    public init(_ packet: PacketFields) {
        kind = Self.kind(of: packet)
        (source, destination) = Self.ends(of: packet)
        details = Self.details(of: packet)
        length = packet.numbers[.length] ?? 0
    }

    public var description: String {
        var words = [kind]
        if !source.isEmpty { words += [source, ">", destination] }
        return (words + details + ["len \(length)"]).joined(separator: " ")
    }

    private static func kind(of packet: PacketFields) -> String {
        if let number = packet.numbers[.protocol] {
            return ProtocolNames.table.name(of: number) ?? "protocol \(number)"
        }
        if let version = packet.numbers[.ipVersion] { return version == 4 ? "ip" : "ip6" }
        guard let type = packet.numbers[.etherType] else { return "frame" }
        if let name = EtherTypeNames.table.name(of: type) {
            // One that is whole has a version.
            return packet.isIP(type) ? "bad \(name)" : name
        }
        let digits = String(type, radix: 16)
        return "ethertype 0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private static func ends(of packet: PacketFields) -> (String, String) {
        guard let source = packet.source, let destination = packet.destination else {
            guard let source = packet.sourceMAC, let destination = packet.destinationMAC else {
                return ("", "")
            }
            return (source.description, destination.description)
        }
        func end(_ address: IPAddress, _ port: UInt32?) -> String {
            guard let port else { return address.description }
            return address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
        return (
            end(source, packet.numbers[.sourcePort]), end(destination, packet.numbers[.destinationPort])
        )
    }

    private static func details(of packet: PacketFields) -> [String] {
        var details: [String] = []
        if let flags = packet.tcpFlags { details.append("[\(Self.text(ofFlags: flags))]") }
        if let type = packet.numbers[.icmpType] {
            details.append(ICMPNames.types.name(of: type) ?? "type \(type)")
            if let code = packet.numbers[.icmpCode], code != 0 { details.append("code \(code)") }
        }
        if let type = packet.numbers[.icmp6Type] {
            details.append(ICMPNames.types6.name(of: type) ?? "type \(type)")
            if let code = packet.numbers[.icmp6Code], code != 0 { details.append("code \(code)") }
        }
        if packet.isFirstFragment { details.append("first fragment") }
        if packet.isLaterFragment { details.append("later fragment") }
        if let vlan = packet.numbers[.vlan] {
            details.append("vlan \(vlan)" + (packet.numbers[.innerVLAN].map { ".\($0)" } ?? ""))
        }
        return details
    }

    /// As tcpdump writes them: S for SYN, a dot for ACK.
    private static func text(ofFlags flags: UInt8) -> String {
        let letters: [(UInt8, String)] = [
            (1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "."), (32, "U"), (64, "E"), (128, "W"),
        ]
        let text = letters.filter { flags & $0.0 != 0 }.map(\.1).joined()
        return text.isEmpty ? "none" : text
    }
}

extension PacketFields {
    fileprivate func isIP(_ type: UInt32) -> Bool { type == 0x0800 || type == 0x86dd }
}
