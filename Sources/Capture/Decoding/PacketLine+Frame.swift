// SPDX-License-Identifier: Apache-2.0
import Filter

extension PacketLine {
    /// An Ethernet frame: two addresses of 6 bytes, tags of 4 bytes, a type.
    mutating func readFrame(at start: Int) {
        guard let destination = mac(start), let source = mac(start + 6), let type = u16(start + 12) else {
            return sayCut("ether")
        }
        let isOutermost = start == 0
        if style.showsLink, isOutermost { say("\(source) > \(destination)") }
        readType(type, at: start + 14, source: source, destination: destination)
    }

    /// What follows a type of Ethernet, tags first.
    mutating func readType(
        _ first: UInt16, at start: Int, source: MACAddress?, destination: MACAddress?
    ) {
        var type = first
        var offset = start
        var tags: [String] = []
        while [0x8100, 0x88a8, 0x9100].contains(type), tags.count < 8 {
            guard let tag = u16(offset), let next = u16(offset + 2) else {
                if !tags.isEmpty { say("vlan \(tags.joined(separator: "."))") }
                return sayCut("vlan")
            }
            let priority = style.isVerbose && tag >> 13 != 0 ? "p\(tag >> 13)" : ""
            tags.append("\(tag & 0xfff)\(priority)")
            type = next
            offset += 4
        }
        if !tags.isEmpty { say("vlan \(tags.joined(separator: "."))") }
        switch type {
        case 0x0800: readIPv4(at: offset)
        case 0x86dd: readIPv6(at: offset)
        case 0x0806, 0x8035: readARP(at: offset, isReverse: type == 0x8035)
        case 0x8847, 0x8848: readMPLS(at: offset)
        case 0x8863, 0x8864: readPPPoE(at: offset, isSession: type == 0x8864)
        case 0x6558: if enter() { readFrame(at: offset) }
        case ..<0x0600: readLLC(at: offset, source: source, destination: destination)
        default:
            say(PacketNames.etherType(type) ?? "ethertype \(Self.hex(type, 4))")
            sayEnds(source, destination)
        }
    }

    /// Who sent a frame of which nothing else is known.
    private mutating func sayEnds(_ source: MACAddress?, _ destination: MACAddress?) {
        guard let source, let destination, !(style.showsLink && depth == 0) else { return }
        say("\(source) > \(destination)")
    }

    /// ARP (RFC 826) of IPv4 on Ethernet: types 2 + 2, sizes 1 + 1, operation 2, then addresses 6 + 4 of who asks, 6 + 4 of whom.
    private mutating func readARP(at start: Int, isReverse: Bool) {
        say(isReverse ? "rarp" : "arp")
        guard let operation = u16(start + 6), let sizes = u16(start + 4) else { return sayCut("arp") }
        guard sizes == 0x0604 else { return say("operation \(operation)") }
        guard let hardware = mac(start + 8), let sender = address(start + 14, 4),
            let target = address(start + 24, 4)
        else { return sayCut("arp") }
        switch operation {
        case 1 where sender == target: say("announce \(sender) \(hardware)")
        case 1: say("who-has \(target) tell \(sender)")
        case 2: say("\(sender) is-at \(hardware)")
        default: say("operation \(operation) \(sender) \(target)")
        }
    }

    /// Labels of 4 bytes (RFC 3032): label 20 bits, class 3, bottom 1, TTL 8. What follows the last is told by its first bits.
    private mutating func readMPLS(at start: Int) {
        var offset = start
        var labels: [String] = []
        while labels.count < 16 {
            guard let entry = number(offset, 4) else {
                say("mpls \(labels.joined(separator: "."))")
                return sayCut("mpls")
            }
            labels.append("\(entry >> 12)")
            offset += 4
            if entry & 0x100 != 0 { break }
        }
        say("mpls \(labels.joined(separator: "."))")
        guard let first = u8(offset), enter() else { return }
        switch first >> 4 {
        case 4: readIPv4(at: offset)
        case 6: readIPv6(at: offset)
        // A control word, then a frame (RFC 4448).
        case 0: readFrame(at: offset + 4)
        default: readFrame(at: offset)
        }
    }

    /// PPPoE (RFC 2516): version and type 1, code 1, session 2, length 2; in a session a protocol of PPP 2.
    private mutating func readPPPoE(at start: Int, isSession: Bool) {
        guard let code = u8(start + 1), let session = u16(start + 2) else {
            say("pppoe")
            return sayCut("pppoe")
        }
        guard isSession else {
            let names: [UInt8: String] = [9: "PADI", 7: "PADO", 0x19: "PADR", 0x65: "PADS", 0xa7: "PADT"]
            return say("pppoe \(names[code] ?? "code \(code)")")
        }
        say("pppoe session \(session)")
        guard let inside = u16(start + 6) else { return sayCut("ppp") }
        let names: [UInt16: String] = [
            0xc021: "lcp", 0xc023: "pap", 0xc223: "chap", 0x8021: "ipcp", 0x8057: "ipv6cp",
        ]
        switch inside {
        case 0x0021: if enter() { readIPv4(at: start + 8) }
        case 0x0057: if enter() { readIPv6(at: start + 8) }
        default: say(names[inside] ?? "ppp \(Self.hex(inside, 4))")
        }
    }

    /// IEEE 802.3 with LLC: service points 1 + 1, control 1; SNAP has 3 bytes organisation and a type.
    private mutating func readLLC(at start: Int, source: MACAddress?, destination: MACAddress?) {
        guard let points = u16(start) else {
            say("llc")
            return sayCut("llc")
        }
        switch points {
        case 0x4242: say("stp")
        case 0xfefe: say("isis")
        case 0xaaaa:
            guard let organisation = number(start + 3, 3), let type = u16(start + 6) else {
                return sayCut("snap")
            }
            if organisation == 0, type >= 0x0600 {
                return readType(type, at: start + 8, source: source, destination: destination)
            }
            let isCisco = organisation == 0x00000c && type == 0x2000
            say(isCisco ? "cdp" : "snap \(Self.hex(organisation, 6)) \(Self.hex(type, 4))")
        default: say("llc \(Self.hex(points, 4))")
        }
        sayEnds(source, destination)
    }
}
