// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink
import XDP

/// Random rules that a pcap filter expression can say too, and that expression.
///
/// What pcap understands otherwise is left out, here or by ``admits(_:length:)``:
///
/// - Its primitives know no VLAN tags until the word `vlan`, and count behind them from there on. So the word stands only in
///   front of everything, and packets have a tag there and none elsewhere.
/// - `host` and `net` without `ip` are of ARP too, `port` is of TCP, UDP and SCTP: the expression and the rule name the
///   protocols.
/// - It does not check headers, nor where they say that the packet ends: packets have valid IP headers, and what of their transport
///   header is there lies before that end.
/// - It does not step over IPv6's extension headers (only `ip6 protochain` does, slowly), not even a fragment header before ports:
///   packets have none.
/// - `tcp[…]` is of IPv4 alone: flags in IPv6 are asked for as bytes of `ip6`.
/// - A read behind the packet's end ends the whole filter with "no", also below `not` and beside `or`: packets that are cut
///   short meet rules that are joined by `and` alone, where that is the same.
/// - Ports are read one by one, ICMP's type without its code: packets do not end between them.
public struct PcapRules {
    public let rules: RuleSet
    /// True of the packets that the rules drop.
    public let expression: String
    private let hasVLAN: Bool
    private let isConjunction: Bool

    /// Some rule sets for which the same packets are fit.
    public static func batch(seed: UInt64, count: Int) -> [PcapRules] {
        var maker = Maker(world: FilterWorld(random: SeededGenerator(seed: seed)))
        let hasVLAN = maker.world.oneIn(8)
        let isConjunction = maker.world.oneIn(4)
        return (0..<count).map { _ in
            isConjunction ? conjunction(&maker, hasVLAN: hasVLAN) : PcapRules(&maker, hasVLAN: hasVLAN)
        }
    }

    /// Up to five rules, that pass and drop.
    private init(_ maker: inout Maker, hasVLAN: Bool) {
        let tag = hasVLAN ? maker.vlan() : nil
        var text = "less 0"
        var list: [Rule] = []
        for _ in 0..<maker.world.choose(1...5) {
            // From the last rule to the first: what a rule does not decide is left to those behind it.
            let part = maker.tree(depth: 3)
            let verdict: Verdict = maker.world.oneIn(3) ? .pass : .drop
            text = verdict == .drop ? "(\(part.text)) or (\(text))" : "not (\(part.text)) and (\(text))"
            list.insert(Rule(.decide(verdict), part.match), at: 0)
        }
        if let tag { list.insert(Rule(.decide(.pass), .not(tag.match)), at: 0) }
        self.init(
            list, tag.map { "\($0.text) and (\(text))" } ?? text, hasVLAN: hasVLAN, isConjunction: false)
    }

    /// One rule of primitives that are joined by `and`.
    private static func conjunction(_ maker: inout Maker, hasVLAN: Bool) -> PcapRules {
        var parts = (0..<maker.world.choose(1...3)).map { _ in maker.primitive() }
        if hasVLAN { parts.insert(maker.vlan(), at: 0) }
        let whole = Part.joined(parts, by: "and")
        return PcapRules(
            [Rule(.decide(.drop), whole.match)], whole.text, hasVLAN: hasVLAN, isConjunction: true)
    }

    private init(_ list: [Rule], _ expression: String, hasVLAN: Bool, isConjunction: Bool) {
        var rules = RuleSet(policy: .pass)
        rules.rules = list
        self.rules = rules
        self.expression = expression
        self.hasVLAN = hasVLAN
        self.isConjunction = isConjunction
    }

    /// Packets that mean the same to both.
    public func packets(seed: UInt64, count: Int) -> [RandomPacket] {
        var source = RandomPackets(for: rules, seed: seed)
        source.longest = 1600
        source.hasExtensions = false
        var packets: [RandomPacket] = []
        for _ in 0..<(count * 20) where packets.count < count {
            guard var packet = source.next() else { break }
            // Long enough for every read, unless all that follows from a missing byte is "no".
            if !isConjunction, packet.bytes.count < 160 {
                packet.bytes += [UInt8](repeating: 0, count: 160 - packet.bytes.count)
            }
            if admits(packet.bytes) { packets.append(packet) }
        }
        return packets
    }

    private func admits(_ bytes: [UInt8]) -> Bool {
        let fields = PacketFields(packet: bytes)
        guard let type = fields.numbers[.etherType], ![0x8100, 0x88a8, 0x9100].contains(type),
            hasVLAN == (fields.numbers[.vlan] != nil), fields.numbers[.innerVLAN] == nil
        else { return false }
        guard type == 0x0800 || type == 0x86dd else { return true }
        guard let version = fields.numbers[.ipVersion], let start = fields.networkOffset else { return false }
        if version == 6, [0, 43, 44, 51, 60, 135, 139, 140].contains(bytes[start + 6]) { return false }
        guard let transport = fields.transportOffset else { return true }
        let said =
            version == 4
            ? Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
            : Int(bytes[start + 4]) << 8 | Int(bytes[start + 5])
        let end = said == 0 ? bytes.count : min(start + (version == 6 ? 40 : 0) + said, bytes.count)
        let needed =
            switch fields.numbers[.protocol] {
            case 6: 14
            case 17, 132: 4
            case 1, 58: 2
            default: 0
            }
        if end - transport >= needed { return true }
        guard isConjunction, end == bytes.count else { return false }
        return end == transport || (needed == 14 && end - transport >= 4)
    }
}

/// A part of an expression in both languages.
private struct Part {
    var match: Match
    var text: String

    init(_ match: Match, _ text: String) {
        self.match = match
        self.text = text
    }

    init(_ test: Test, _ text: String) {
        self.init(.test(test), text)
    }

    static func joined(_ parts: [Part], by word: String) -> Part {
        let text = parts.map { "(\($0.text))" }.joined(separator: " \(word) ")
        return Part(word == "and" ? .all(parts.map(\.match)) : .any(parts.map(\.match)), text)
    }
}

private struct Maker {
    var world: FilterWorld

    mutating func tree(depth: Int) -> Part {
        guard depth > 0, !world.oneIn(3) else { return primitive() }
        switch world.below(3) {
        case 0:
            let part = tree(depth: depth - 1)
            return Part(.not(part.match), "not (\(part.text))")
        case 1:
            return .joined((0..<world.choose(2...3)).map { _ in tree(depth: depth - 1) }, by: "and")
        default:
            return .joined((0..<world.choose(2...3)).map { _ in tree(depth: depth - 1) }, by: "or")
        }
    }

    mutating func vlan() -> Part {
        let id = world.number(.vlan)
        return Part(.number(.vlan, [id...id]), "vlan \(id)")
    }

    mutating func primitive() -> Part {
        switch world.below(14) {
        case 0, 1, 2: address()
        case 3, 4, 5: port()
        case 6: `protocol`()
        case 7: tcpFlags()
        case 8: icmp()
        case 9: length()
        case 10: mac()
        case 11: etherType()
        case 12: header()
        default: bytes()
        }
    }

    // MARK: - Primitives

    private func only(_ isIPv6: Bool) -> Match {
        let type: UInt32 = isIPv6 ? 0x86dd : 0x0800
        return .test(.number(.etherType, [type...type]))
    }

    private mutating func address() -> Part {
        let network = world.prefix()
        let field = world.choose(AddressField.allCases)
        let words = "\(network.isIPv6 ? "ip6" : "ip") \(field == .source ? "src" : "dst")"
        let text = network.isSingle ? "host \(network.address)" : "net \(network.address)/\(network.length)"
        return Part(.address(field, [network]), "\(words) \(text)")
    }

    private mutating func port() -> Part {
        let (name, numbers): (String, [UInt32]) = world.choose([
            ("tcp ", [6]), ("udp ", [17]), ("sctp ", [132]), ("", [6, 17, 132]),
        ])
        let first = world.number(.destinationPort)
        let second = world.oneIn(3) ? world.number(.destinationPort) : first
        let range = min(first, second)...max(first, second)
        let text = range.count == 1 ? "port \(first)" : "portrange \(range.lowerBound)-\(range.upperBound)"
        let protocols = Match.test(.number(.protocol, numbers.map { $0...$0 }))
        let source = Match.test(.number(.sourcePort, [range]))
        let destination = Match.test(.number(.destinationPort, [range]))
        return switch world.below(4) {
        case 0: Part(.all([protocols, source]), "\(name)src \(text)")
        case 1: Part(.all([protocols, .any([source, destination])]), "\(name)\(text)")
        default: Part(.all([protocols, destination]), "\(name)dst \(text)")
        }
    }

    private mutating func `protocol`() -> Part {
        if world.flip() {
            let (name, number): (String, UInt32) = world.choose([("tcp", 6), ("udp", 17), ("sctp", 132)])
            return Part(.number(.protocol, [number...number]), name)
        }
        let isIPv6 = world.flip()
        var number = world.number(.protocol)
        // Extension headers, which no packet has here.
        if isIPv6, [0, 43, 44, 51, 60].contains(number) { number = 17 }
        return Part(
            .all([only(isIPv6), .test(.number(.protocol, [number...number]))]),
            "\(isIPv6 ? "ip6" : "ip") proto \(number)")
    }

    private mutating func tcpFlags() -> Part {
        let mask: UInt8 = world.choose([2, 18, 4, 16, 0x3f, world.choose(1...255)])
        let value: UInt8 = world.choose([2, 18, mask, 0]) & mask
        let isIPv6 = world.flip()
        return Part(
            .all([only(isIPv6), .test(.tcpFlags(value: value, mask: mask))]),
            isIPv6
                ? "ip6 proto 6 and ip6[53] & \(mask) = \(value)" : "tcp[tcpflags] & \(mask) = \(value)")
    }

    private mutating func icmp() -> Part {
        let isIPv6 = world.flip()
        let isType = world.flip()
        let field: NumberField =
            isIPv6 ? (isType ? .icmp6Type : .icmp6Code) : (isType ? .icmpType : .icmpCode)
        let value = world.number(field)
        return Part(
            .number(field, [value...value]), "\(isIPv6 ? "icmp6" : "icmp")[\(isType ? 0 : 1)] = \(value)")
    }

    private mutating func length() -> Part {
        let value = world.number(.length)
        return switch world.below(3) {
        case 0: Part(.number(.length, [value...65_535]), "greater \(value)")
        case 1: Part(.number(.length, [0...value]), "less \(value)")
        default: Part(.number(.length, [value...value]), "len = \(value)")
        }
    }

    private mutating func mac() -> Part {
        let address = world.mac()
        let field = world.choose(MACField.allCases)
        return Part(.mac(field, [address]), "ether \(field == .source ? "src" : "dst") \(address)")
    }

    private mutating func etherType() -> Part {
        let (text, type): (String, UInt32) = world.choose([
            ("ip", 0x0800), ("ip6", 0x86dd), ("arp", 0x0806), ("ether proto 0x88b5", 0x88b5),
            ("ether proto 0x0800", 0x0800),
        ])
        return Part(.number(.etherType, [type...type]), text)
    }

    private mutating func header() -> Part {
        let isIPv6 = world.flip()
        switch world.below(4) {
        case 0:
            let value = world.number(.ttl)
            return Part(
                .all([only(isIPv6), .test(.number(.ttl, [0...value]))]),
                isIPv6 ? "ip6[7] <= \(value)" : "ip[8] <= \(value)")
        case 1:
            let value = world.number(.dscp)
            return Part(
                .all([only(isIPv6), .test(.number(.dscp, [value...value]))]),
                isIPv6 ? "ip6[0:2] >> 6 & 63 = \(value)" : "ip[1] >> 2 = \(value)")
        default:
            let (kind, text): (FragmentKind, String) = world.choose([
                (.any, "ip[6:2] & 0x3fff != 0"), (.later, "ip[6:2] & 0x1fff != 0"),
                (.first, "ip[6:2] & 0x3fff = 0x2000"),
            ])
            return Part(.all([only(false), .test(.fragment(kind))]), text)
        }
    }

    private mutating func bytes() -> Part {
        let count: UInt8 = world.choose([1, 2, 4])
        let width = UInt64.max >> (64 - 8 * UInt64(count))
        let mask = world.flip() ? width : world.choose(1...width)
        let value: UInt64 = world.choose([0, 1, 0x45, 0x0800, world.choose(0...width)]) & mask
        let comparison = world.choose(ByteTest.Comparison.allCases)
        // Behind a tag `ether` still counts from the frame's beginning; up to the type both mean the same.
        let (base, name, isIPv6): (ByteTest.Base, String, Bool?) = world.choose([
            (.frame, "ether", nil), (.network, "ip", false), (.network, "ip6", true),
        ])
        let offset: UInt16 = world.choose(0...(base == .frame ? 8 : 16))
        let test = Match.test(
            .bytes(ByteTest(base, offset: offset, count: count, mask: mask, comparison, value)))
        // libpcap's optimiser takes a number for not 0 where all its 32 bits are masked in (1.10.3).
        let masking = mask == width ? "" : " & \(mask)"
        return Part(
            isIPv6.map { .all([only($0), test]) } ?? test,
            "\(name)[\(offset):\(count)]\(masking) \(comparison.rawValue) \(value)")
    }
}
