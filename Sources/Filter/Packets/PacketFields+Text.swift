// SPDX-License-Identifier: Apache-2.0
import Netlink

extension PacketFields {
    /// What the packet is, in the words of ``WrittenPacket`` where there are such.
    public var text: String {
        var words = [NumberField.vlan, .innerVLAN].compactMap { numbers[$0] }.map { "vlan \($0)" }
        if numbers[.ipVersion] == nil {
            words.insert(frameName, at: 0)
        } else {
            words.insert(transportName, at: 0)
            if let source { words.append("from \(endpoint(source, .sourcePort))") }
            if let destination { words.append("to \(endpoint(destination, .destinationPort))") }
            if let tcpFlags { words.append(Self.flags(tcpFlags)) }
            if isFirstFragment { words.append("fragment first") }
            if isLaterFragment { words.append("fragment later") }
        }
        return (words + ["length \(numbers[.length] ?? 0)"]).joined(separator: " ")
    }

    private var frameName: String {
        switch numbers[.etherType] {
        case 0x0806: "arp"
        case let type?: "ethertype \(EtherTypeNames.table.name(of: type) ?? "0x\(String(type, radix: 16))")"
        case nil: "short frame"
        }
    }

    private var transportName: String {
        switch (numbers[.protocol], numbers[.icmpType] ?? numbers[.icmp6Type]) {
        case (1, let type?): "icmp \(ICMPNames.types.name(of: type) ?? "type \(type)")"
        case (58, let type?): "icmpv6 \(ICMPNames.types6.name(of: type) ?? "type \(type)")"
        case (let number?, _):
            ProtocolNames.bare.first { ProtocolNames.bareValues[$0] == number }
                ?? "proto \(ProtocolNames.table.name(of: number) ?? "\(number)")"
        case (nil, _): "ip"
        }
    }

    private func endpoint(_ address: IPAddress, _ field: NumberField) -> String {
        guard let port = numbers[field] else { return "\(address)" }
        return address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    private static func flags(_ flags: UInt8) -> String {
        let names = TCPFlagNames.table.entries.filter { flags & UInt8($0.value) != 0 }.map(\.name)
        return names.isEmpty ? "flags none" : names.joined(separator: ",")
    }
}
