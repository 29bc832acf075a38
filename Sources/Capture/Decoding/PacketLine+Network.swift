// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

extension PacketLine {
    /// Where an IP packet comes from, and goes to.
    struct Ends {
        var source: IPAddress
        var destination: IPAddress
        /// The version.
        var isIPv6: Bool { source.isIPv6 }

        func text(_ sourcePort: UInt16, _ destinationPort: UInt16) -> String {
            "\(Self.end(source, sourcePort)) > \(Self.end(destination, destinationPort))"
        }

        var text: String { "\(source) > \(destination)" }

        private static func end(_ address: IPAddress, _ port: UInt16) -> String {
            address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
    }

    /// IPv4 (RFC 791).
    mutating func readIPv4(at start: Int) {
        guard let first = u8(start) else {
            say("ip")
            return sayCut("ip")
        }
        let headerLength = Int(first & 0xf) * 4
        guard first >> 4 == 4, headerLength >= 20 else { return say("bad ip") }
        guard let total = number(start + 2, 2), let id = u16(start + 4), let position = u16(start + 6),
            let ttl = u8(start + 8), let transport = u8(start + 9), let source = address(start + 12, 4),
            let destination = address(start + 16, 4)
        else {
            say("ip")
            return sayCut("ip")
        }
        let ends = Ends(source: source, destination: destination)
        narrow(to: total == 0 ? nil : start + max(total, headerLength))
        let offset = Int(position & 0x1fff) * 8
        let more = position & 0x2000 != 0
        if offset > 0 || more { pending.append("frag \(id) offset \(offset)\(more ? "+" : "")") }
        if total != 0, total < headerLength { pending.append("bad length \(total)") }
        sayMoreLater("ttl \(ttl) id \(id)\(position & 0x4000 != 0 ? " df" : "")")
        if headerLength > 20 { sayMoreLater("options \(headerLength - 20)") }
        if let service = u8(start + 1), service != 0 { sayMoreLater("tos \(Self.hex(service, 2))") }
        if offset > 0 {
            say("\(Self.name(ofTransport: transport)) \(ends.text)")
        } else {
            readTransport(transport, at: start + headerLength, ends)
        }
    }

    /// IPv6 (RFC 8200), and the headers between it and the transport's.
    mutating func readIPv6(at start: Int) {
        guard let first = u8(start) else {
            say("ip6")
            return sayCut("ip6")
        }
        guard first >> 4 == 6 else { return say("bad ip6") }
        guard let payload = number(start + 4, 2), let next = u8(start + 6), let limit = u8(start + 7),
            let source = address(start + 8, 16), let destination = address(start + 24, 16)
        else {
            say("ip6")
            return sayCut("ip6")
        }
        let ends = Ends(source: source, destination: destination)
        let flow = (number(start, 4) ?? 0) & 0xfffff
        narrow(to: payload == 0 ? nil : start + 40 + payload)
        sayMoreLater("hlim \(limit)\(flow == 0 ? "" : " flow \(Self.hex(flow, 5))")")
        readExtensions(next, at: start + 40, ends)
    }

    private mutating func readExtensions(_ first: UInt8, at start: Int, _ ends: Ends) {
        let names: [UInt8: String] = [
            0: "hop-by-hop", 43: "routing", 44: "fragment", 51: "ah", 60: "options", 135: "mobility",
            139: "hip",
            140: "shim6",
        ]
        var header = first
        var offset = start
        var passed: [String] = []
        while let name = names[header], passed.count < 16 {
            guard let next = u8(offset), let size = u8(offset + 1) else {
                say("ip6 \(ends.text)")
                for word in passed { say(word) }
                return sayCut(name)
            }
            switch header {
            case 44:
                guard let position = number(offset + 2, 2), let id = number(offset + 4, 4) else {
                    say("ip6 \(ends.text)")
                    return sayCut(name)
                }
                let isAtomic = position & 0xfff9 == 0
                passed.append(
                    isAtomic
                        ? "frag \(id) atomic"
                        : "frag \(id) offset \(position & 0xfff8)\(position & 1 != 0 ? "+" : "")")
                if position & 0xfff8 != 0 {
                    say("\(Self.name(ofTransport: next)) \(ends.text)")
                    pending = passed + pending
                    return
                }
                offset += 8
            case 51:
                passed.append(name)
                offset += (Int(size) + 2) * 4
            default:
                passed.append(name)
                offset += (Int(size) + 1) * 8
            }
            header = next
        }
        pending = passed + pending
        readTransport(header, at: offset, ends)
    }

    /// Nothing behind the end of an IP packet is read.
    private mutating func narrow(to packetEnd: Int?) {
        statedEnd = packetEnd
        guard let packetEnd, packetEnd <= end else { return }
        end = packetEnd
        isWhole = true
    }

    static func name(ofTransport number: UInt8) -> String {
        PacketNames.transport(number) ?? "protocol \(number)"
    }
}
