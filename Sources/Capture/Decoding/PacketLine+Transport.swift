// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

extension PacketLine {
    mutating func readTransport(_ transport: UInt8, at start: Int, _ ends: Ends) {
        switch transport {
        case 6: readTCP(at: start, ends)
        case 17, 136: readUDP(at: start, ends, name: transport == 17 ? "udp" : "udplite")
        case 132, 33: readPorts(at: start, ends, name: transport == 132 ? "sctp" : "dccp")
        case 1 where !ends.isIPv6: readICMP(at: start, ends)
        case 58 where ends.isIPv6: readICMPv6(at: start, ends)
        case 2: readIGMP(at: start, ends)
        case 4, 41:
            say("\(transport == 4 ? "ipip" : "ip6ip") \(ends.text)")
            guard enter() else { return }
            if transport == 4 { readIPv4(at: start) } else { readIPv6(at: start) }
        case 47: readGRE(at: start, ends)
        case 50:
            say("esp \(ends.text)")
            guard let index = number(start, 4) else { return sayCut("esp") }
            sayDetail("spi \(Self.hex(index, 8))")
        case 51:
            say("ah \(ends.text)")
            guard let next = u8(start), let size = u8(start + 1), enter() else { return sayCut("ah") }
            readTransport(next, at: start + (Int(size) + 2) * 4, ends)
        default: say("\(Self.name(ofTransport: transport)) \(ends.text)")
        }
    }

    /// TCP (RFC 9293).
    private mutating func readTCP(at start: Int, _ ends: Ends) {
        guard let source = u16(start), let destination = u16(start + 2) else {
            say("tcp \(ends.text)")
            return sayCut("tcp")
        }
        say("tcp \(ends.text(source, destination))")
        guard let sequence = number(start + 4, 4), let acknowledged = number(start + 8, 4),
            let size = u8(start + 12), let flags = u8(start + 13), let window = u16(start + 14)
        else { return sayCut("tcp") }
        say("[\(Self.text(ofFlags: flags))]")
        let headerLength = Int(size >> 4) * 4
        guard headerLength >= 20 else { return say("bad header length \(headerLength)") }
        sayDetail("seq \(sequence)")
        if flags & 16 != 0 { sayDetail("ack \(acknowledged)") }
        sayDetail("win \(window)")
        if flags & 32 != 0, let urgent = u16(start + 18) { sayDetail("urg \(urgent)") }
        if headerLength > 20, style.isVerbose {
            let options = tcpOptions(start + 20, start + headerLength)
            say("options \(options)")
        }
        sayPayload(from: start + headerLength)
    }

    /// S for SYN, a dot for ACK, as tcpdump writes them.
    static func text(ofFlags flags: UInt8) -> String {
        let letters: [(UInt8, String)] = [
            (1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "."), (32, "U"), (64, "E"), (128, "W"),
        ]
        let text = letters.filter { flags & $0.0 != 0 }.map(\.1).joined()
        return text.isEmpty ? "none" : text
    }

    /// A kind of 1 byte, then, but for 0 and 1, a length that counts both.
    private func tcpOptions(_ start: Int, _ end: Int) -> String {
        var offset = start
        var found: [String] = []
        while offset < end, let kind = u8(offset), kind != 0 {
            guard kind != 1 else {
                offset += 1
                continue
            }
            guard let size = u8(offset + 1), size >= 2 else { break }
            switch (kind, size) {
            case (2, 4): found.append("mss \(number(offset + 2, 2) ?? 0)")
            case (3, 3): found.append("wscale \(u8(offset + 2) ?? 0)")
            case (4, _): found.append("sackOK")
            case (5, _): found.append("sack \((size - 2) / 8)")
            case (8, 10): found.append("ts \(number(offset + 2, 4) ?? 0):\(number(offset + 6, 4) ?? 0)")
            default: found.append("kind \(kind)")
            }
            offset += Int(size)
        }
        return "<\(found.joined(separator: ","))>"
    }

    /// UDP (RFC 768), and what is known by its port: VXLAN (RFC 7348), Geneve (RFC 8926).
    private mutating func readUDP(at start: Int, _ ends: Ends, name: String) {
        guard let source = u16(start), let destination = u16(start + 2) else {
            say("\(name) \(ends.text)")
            return sayCut(name)
        }
        say("\(name) \(ends.text(source, destination))")
        if destination == 4789 || destination == 8472, let flags = u8(start + 8), flags & 0x08 != 0 {
            guard let network = number(start + 12, 3) else { return sayCut("vxlan") }
            say("vxlan \(network)")
            if enter() { readFrame(at: start + 16) }
            return
        }
        if destination == 6081, let first = u8(start + 8), first >> 6 == 0, let type = u16(start + 10) {
            guard let network = number(start + 12, 3) else { return sayCut("geneve") }
            say("geneve \(network)")
            let inside = start + 16 + Int(first & 0x3f) * 4
            readInside(type, at: inside)
            return
        }
        guard let length = number(start + 4, 2) else { return sayCut(name) }
        guard name == "udp", length >= 8 else { return }
        sayDetail("data \(length - 8)")
    }

    private mutating func readPorts(at start: Int, _ ends: Ends, name: String) {
        guard let source = u16(start), let destination = u16(start + 2) else {
            say("\(name) \(ends.text)")
            return sayCut(name)
        }
        say("\(name) \(ends.text(source, destination))")
        guard name == "sctp" else { return }
        let kinds = [
            "data", "init", "init-ack", "sack", "heartbeat", "heartbeat-ack", "abort", "shutdown",
            "shutdown-ack",
            "error", "cookie-echo", "cookie-ack",
        ]
        guard let kind = u8(start + 12) else { return }
        sayDetail(
            Int(kind) < kinds.count ? kinds[Int(kind)] : kind == 14 ? "shutdown-complete" : "chunk \(kind)")
    }

    /// ICMP (RFC 792): type 1, code 1, checksum 2, and 4 bytes that depend on the type.
    private mutating func readICMP(at start: Int, _ ends: Ends) {
        say("icmp \(ends.text)")
        guard let type = u8(start), let code = u8(start + 1) else { return sayCut("icmp") }
        say(PacketNames.icmpType(type) ?? "type \(type)")
        switch type {
        case 0, 8:
            guard let id = u16(start + 4), let sequence = u16(start + 6) else { return sayCut("icmp") }
            sayDetail("id \(id) seq \(sequence)")
        case 3:
            say(PacketNames.icmpUnreachable(code) ?? "code \(code)")
            if code == 4, let size = u16(start + 6) { sayDetail("mtu \(size)") }
            if !style.isShort, enter() { readIPv4(at: start + 8) }
        case 5:
            if let gateway = address(start + 4, 4) { sayDetail("to \(gateway)") }
            if !style.isShort, enter() { readIPv4(at: start + 8) }
        case 11, 12, 4:
            if code != 0 { say("code \(code)") }
            if !style.isShort, enter() { readIPv4(at: start + 8) }
        default: if code != 0 { say("code \(code)") }
        }
    }

    /// ICMPv6 (RFC 4443), and neighbour discovery (RFC 4861).
    private mutating func readICMPv6(at start: Int, _ ends: Ends) {
        say("icmpv6 \(ends.text)")
        guard let type = u8(start), let code = u8(start + 1) else { return sayCut("icmpv6") }
        say(PacketNames.icmp6Type(type) ?? "type \(type)")
        switch type {
        case 128, 129:
            guard let id = u16(start + 4), let sequence = u16(start + 6) else { return sayCut("icmpv6") }
            sayDetail("id \(id) seq \(sequence)")
        case 135, 136, 137:
            guard let target = address(start + 8, 16) else { return sayCut("icmpv6") }
            sayDetail("\(target)")
        case 1, 2, 3, 4:
            if type == 1 { say(PacketNames.icmp6Unreachable(code) ?? "code \(code)") }
            if type == 2, let size = number(start + 4, 4) { sayDetail("mtu \(size)") }
            if type > 2, code != 0 { say("code \(code)") }
            if !style.isShort, enter() { readIPv6(at: start + 8) }
        default: if code != 0 { say("code \(code)") }
        }
    }

    private mutating func readIGMP(at start: Int, _ ends: Ends) {
        say("igmp \(ends.text)")
        guard let type = u8(start) else { return sayCut("igmp") }
        let names: [UInt8: String] = [
            0x11: "query", 0x12: "report-v1", 0x16: "report-v2", 0x17: "leave", 0x22: "report-v3",
        ]
        say(names[type] ?? "type \(Self.hex(type, 2))")
        if type != 0x22, let group = address(start + 4, 4), group != IPAddress(0, 0, 0, 0) { say("\(group)") }
    }

    /// GRE (RFC 2784, 2890): flags 2, type 2, then 4 bytes each for a checksum, a key, a sequence number, where flags say so.
    private mutating func readGRE(at start: Int, _ ends: Ends) {
        say("gre \(ends.text)")
        guard let flags = u16(start), let type = u16(start + 2) else { return sayCut("gre") }
        guard flags & 0x0007 == 0 else { return say("version \(flags & 7)") }
        var offset = start + 4
        if flags & 0x8000 != 0 { offset += 4 }
        if flags & 0x2000 != 0 {
            guard let key = number(offset, 4) else { return sayCut("gre") }
            sayDetail("key \(key)")
            offset += 4
        }
        if flags & 0x1000 != 0 { offset += 4 }
        if type == 0x88be || type == 0x22eb { return say(type == 0x88be ? "erspan" : "erspan3") }
        readInside(type, at: offset)
    }

    /// What a tunnel holds: a frame (type 0x6558), or what an EtherType names.
    private mutating func readInside(_ type: UInt16, at start: Int) {
        guard enter() else { return }
        if type == 0x6558 { return readFrame(at: start) }
        readType(type, at: start, source: nil, destination: nil)
    }

    /// How much there is behind the headers, if that is known.
    private mutating func sayPayload(from start: Int) {
        guard let last = statedEnd ?? (isWhole ? end : nil), last > start else { return }
        sayDetail("data \(last - start)")
    }
}
