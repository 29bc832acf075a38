// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Packets
import XDP

struct LabSend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send packets into the lab, as its peer.")

    /// The kinds of packets.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case udp, tcp, icmp, arp
    }

    /// What the command prints.
    private struct Output: Encodable {
        let format = 1
        let sent: Int
        let cameBack: Int
    }

    @Argument(help: "udp, tcp, icmp or arp.") var kind: Kind
    @Option(help: "How many.") var count = 1
    @Option(help: "Source address, IPv4 or IPv6.") var from = Lab.peerAddress
    @Option(help: "Destination address.") var to = Lab.address
    @Option(help: "Source port.") var fromPort: UInt16 = 40000
    @Option(help: "Destination port.") var toPort: UInt16 = 9
    @Option(help: "TCP flags, with commas between: syn,fin.") var flags = "syn"
    @Option(help: "VLAN id.") var vlan: UInt16?
    @Option(help: "Bytes of payload.") var size = 32
    @OptionGroup var which: LabOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard count > 0, count <= 1_000_000, (0...1400).contains(size) else {
                throw GlobalOptions.invalid(
                    "These packets cannot be sent",
                    because: "the count is from 1 to 1 000 000, the size from 0 to 1400")
            }
            let sent = try which.lab.send(try packet(), count: count)
            if options.json {
                return JSONOutput.print(Output(sent: sent.packets, cameBack: sent.cameBack))
            }
            print("\(sent.packets) sent, \(sent.cameBack) came back")
        }
    }

    private func packet() throws(XDPError) -> Packet {
        var frame = Packet.ethernet(from: "02:00:00:00:00:02", to: "02:00:00:00:00:01")
        if let vlan { frame = frame.vlan(vlan) }
        if kind == .arp {
            guard let sender = Packet.IPv4(parsing: from), let target = Packet.IPv4(parsing: to) else {
                throw invalidAddress()
            }
            return frame.arp(
                .request, senderMAC: "02:00:00:00:00:02", sender: sender, targetMAC: "00:00:00:00:00:00",
                target: target)
        }
        if let source = Packet.IPv4(parsing: from), let destination = Packet.IPv4(parsing: to) {
            frame = frame.ipv4(from: source, to: destination)
        } else if let source = Packet.IPv6(parsing: from), let destination = Packet.IPv6(parsing: to) {
            frame = frame.ipv6(from: source, to: destination)
        } else {
            throw invalidAddress()
        }
        let payload = [UInt8](repeating: 0x78, count: size)
        switch kind {
        case .udp: return frame.udp(from: fromPort, to: toPort, payload: payload)
        case .tcp:
            return frame.tcp(from: fromPort, to: toPort, flags: try tcpFlags(), payload: payload)
        case .icmp, .arp: return frame.ping(identifier: 1, sequence: 1, payload: payload)
        }
    }

    private func tcpFlags() throws(XDPError) -> Packet.TCPFlags {
        let names: [String: Packet.TCPFlags] = [
            "fin": .fin, "syn": .syn, "rst": .rst, "psh": .psh, "ack": .ack, "urg": .urg, "ece": .ece,
            "cwr": .cwr,
        ]
        var found: Packet.TCPFlags = []
        for name in flags.split(separator: ",") where name != "none" {
            guard let flag = names[name.lowercased()] else {
                throw GlobalOptions.invalid(
                    "--flags \(flags) is not understood", because: "\(name) is no TCP flag",
                    remedy: "Flags are none, \(names.keys.sorted().joined(separator: ", "))")
            }
            found.insert(flag)
        }
        return found
    }

    private func invalidAddress() -> XDPError {
        GlobalOptions.invalid(
            "These packets cannot be sent", because: "\(from) and \(to) are not two addresses of one family")
    }
}
