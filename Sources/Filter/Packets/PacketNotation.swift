// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// Reads what ``WrittenPacket`` describes, word by word.
struct PacketNotation {
    /// What is known of the packet so far.
    var draft = PacketDraft()
    private let text: String
    private let words: [(text: String, column: Int)]
    private var place = 0

    init(_ text: String) {
        self.text = text
        var words: [(text: String, column: Int)] = []
        var isWithin = false
        for (index, character) in text.enumerated() {
            defer { isWithin = !character.isWhitespace }
            guard !character.isWhitespace else { continue }
            if !isWithin { words.append(("", index + 1)) }
            words[words.count - 1].text.append(character)
        }
        self.words = words
    }

    mutating func parse() throws(XDPError) -> WrittenPacket {
        guard !words.isEmpty else { throw error("the packet has no words", at: 1, Self.example) }
        while place < words.count { try parseWord() }
        do throws(PacketDraft.Problem) {
            return try draft.packet(written: text)
        } catch {
            throw self.error(error.what, at: error.column, error.remedy)
        }
    }

    // MARK: - Words

    private mutating func parseWord() throws(XDPError) {
        let (word, column) = words[place]
        place += 1
        if try parseKind(word, column) { return }
        if parseICMP(word) { return }
        if try parseFlag(word, column) { return }
        switch word {
        case "from": draft.source = try endpoint()
        case "to": draft.destination = try endpoint()
        case "flags": draft.flags = try flags(of: next("TCP flags, like syn,ack"))
        case "type": draft.type = try number("the type", upTo: 255)
        case "code": draft.code = try number("the code", upTo: 255)
        case "vlan": draft.vlans.append(try number("the VLAN id", upTo: 4095))
        case "mac": try parseMAC()
        case "ttl", "hoplimit": draft.ttl = try number("the time to live", upTo: 255)
        case "dscp": draft.service = try number("the DSCP", upTo: 63) << 2
        case "tclass": draft.service = try number("the traffic class", upTo: 255)
        case "fragment": draft.fragment = try fragment()
        case "length": draft.length = (try number("the length", upTo: 65_535), column)
        case "cut": draft.cut = try number("the number of bytes", upTo: 65_535)
        case "queue": draft.queue = try number("the queue", upTo: UInt32.max)
        case "iif": draft.interface = try next("the name of an interface").text
        default:
            throw error(
                "\(word) is no word of packets", at: column,
                Spelling.guess(word, among: Self.vocabulary) ?? Self.example)
        }
    }

    /// `tcp`, `arp request`, `proto 47`, …
    private mutating func parseKind(_ word: String, _ column: Int) throws(XDPError) -> Bool {
        let kind: PacketDraft.Kind
        switch word {
        case "tcp", "udp", "sctp", "dccp", "udplite":
            kind = .transport(UInt8(ProtocolNames.table.value(of: word) ?? 0))
        case "icmp": kind = .icmp
        case "icmpv6": kind = .icmp6
        case "ip": kind = .ip
        case "proto": kind = .transport(try protocolNumber())
        case "arp":
            let operation = place < words.count ? words[place].text : ""
            kind = .arp(isReply: operation == "reply")
            if ["request", "reply"].contains(operation) { place += 1 }
        case "ethertype": kind = .frame(try number("the type", upTo: 65_535))
        case "hex": kind = .bytes(try hex(next("hexadecimal digits")))
        default: return false
        }
        guard draft.kind == nil else {
            throw error("what the packet is has been said before", at: column, "write one packet for each")
        }
        draft.kind = kind
        draft.kindColumn = column
        return true
    }

    /// The name of a type, behind `icmp` or `icmpv6`.
    private mutating func parseICMP(_ word: String) -> Bool {
        let names: NameTable
        switch draft.kind {
        case .icmp: names = ICMPNames.types
        case .icmp6: names = ICMPNames.types6
        default: return false
        }
        guard let type = names.value(of: word) else { return false }
        draft.type = UInt8(type)
        return true
    }

    private mutating func parseFlag(_ word: String, _ column: Int) throws(XDPError) -> Bool {
        guard word.split(separator: ",").allSatisfy({ TCPFlagNames.table.value(of: String($0)) != nil }),
            word.contains(where: { $0 != "," })
        else { return false }
        draft.flags = (draft.flags ?? 0) | (try flags(of: (word, column)))
        draft.flagsColumn = column
        return true
    }

    private mutating func parseMAC() throws(XDPError) {
        let direction = try next("src or dst")
        guard direction.text == "src" || direction.text == "dst" else {
            throw error("behind mac stands src or dst", at: direction.column, "mac src 02:00:00:00:00:01")
        }
        let word = try next("an Ethernet address")
        let parts = word.text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.count <= 2 ? UInt64($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6 else {
            throw error("\(word.text) is no Ethernet address", at: word.column, "02:00:00:00:00:01")
        }
        let address = MACAddress(value: bytes.reduce(0) { $0 << 8 | $1 })
        if direction.text == "src" { draft.sourceMAC = address } else { draft.destinationMAC = address }
    }

    // MARK: - Values

    private mutating func next(_ expected: String) throws(XDPError) -> (text: String, column: Int) {
        guard place < words.count else {
            throw error("\(expected) is missing at the end", at: text.count + 1, nil)
        }
        defer { place += 1 }
        return words[place]
    }

    private mutating func number<Number: FixedWidthInteger>(
        _ what: String, upTo maximum: Number
    ) throws(XDPError) -> Number {
        let word = try next(what)
        guard let value = Self.number(word.text), value <= maximum else {
            throw error("\(what) is a number up to \(maximum), not \(word.text)", at: word.column, nil)
        }
        return Number(value)
    }

    /// Decimal, or hexadecimal behind `0x`.
    private static func number(_ text: some StringProtocol) -> UInt64? {
        let isHex = text.hasPrefix("0x")
        let digits = isHex ? text.dropFirst(2) : text[...]
        guard digits.first?.isHexDigit == true else { return nil }
        return UInt64(digits, radix: isHex ? 16 : 10)
    }

    private mutating func protocolNumber() throws(XDPError) -> UInt8 {
        let word = try next("a protocol")
        let value = Self.number(word.text) ?? ProtocolNames.table.value(of: word.text).map(UInt64.init)
        guard let value, value <= 255 else {
            throw error(
                "\(word.text) is no protocol", at: word.column,
                Spelling.guess(word.text, among: ProtocolNames.table.all))
        }
        return UInt8(value)
    }

    private mutating func fragment() throws(XDPError) -> FragmentKind {
        let word = try next("first or later")
        guard let kind = FragmentKind(rawValue: word.text), kind != .any else {
            throw error("a fragment is first or later, not \(word.text)", at: word.column, nil)
        }
        return kind
    }

    private func flags(of word: (text: String, column: Int)) throws(XDPError) -> UInt8 {
        guard word.text != "none" else { return 0 }
        var flags: UInt8 = 0
        for name in word.text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let flag = TCPFlagNames.table.value(of: String(name)) else {
                throw error(
                    "\(name.isEmpty ? "nothing" : String(name)) is no flag of TCP", at: word.column,
                    "flags are none, \(TCPFlagNames.table.all.joined(separator: ", "))")
            }
            flags |= UInt8(flag)
        }
        return flags
    }

    /// An address, a port, or both.
    private mutating func endpoint() throws(XDPError) -> PacketDraft.Endpoint {
        let word = try next("an address")
        var address = word.text[...]
        var port: Substring?
        if address.hasPrefix("["), let end = address.firstIndex(of: "]") {
            let rest = address[address.index(after: end)...]
            address = address[address.index(after: address.startIndex)..<end]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else {
                    throw error("behind ] stands a colon and a port", at: word.column, "[2001:db8::1]:53")
                }
                port = rest.dropFirst()
            }
        } else if let colon = address.firstIndex(of: ":"),
            address.firstIndex(of: ":") == address.lastIndex(of: ":")
        {
            port = address[address.index(after: colon)...]
            address = address[..<colon]
        }
        let parsed = address.isEmpty ? nil : IPAddress(parsing: String(address))
        guard address.isEmpty == (parsed == nil), !address.isEmpty || port != nil else {
            throw error(
                "\(word.text) is no address", at: word.column,
                "192.0.2.1, 192.0.2.1:53, 2001:db8::1, [2001:db8::1]:53, or :53 for a port alone")
        }
        var number: UInt16?
        if let port {
            guard
                let value = Self.number(port)
                    ?? ServiceNames.table.value(of: String(port)).map(UInt64.init), value <= 65_535
            else {
                throw error("a port is a number up to 65535, not \(port)", at: word.column, nil)
            }
            number = UInt16(value)
        }
        return PacketDraft.Endpoint(address: parsed, port: number, column: word.column)
    }

    private func hex(_ word: (text: String, column: Int)) throws(XDPError) -> [UInt8] {
        let digits = word.text.compactMap(\.hexDigitValue)
        guard digits.count == word.text.count, digits.count.isMultiple(of: 2), digits.count <= 131_070 else {
            throw error("these are no pairs of hexadecimal digits", at: word.column, nil)
        }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    // MARK: - Errors

    private static let example = "write it like: tcp from 1.2.3.4:5 to 5.6.7.8:22 syn"

    static let vocabulary =
        [
            "tcp", "udp", "sctp", "dccp", "udplite", "icmp", "icmpv6", "ip", "proto", "arp", "ethertype",
            "hex",
            "from", "to", "flags", "type", "code", "vlan", "mac", "ttl", "hoplimit", "dscp", "tclass",
            "fragment",
            "length", "cut", "queue", "iif",
        ] + TCPFlagNames.table.all + ICMPNames.types.all + ICMPNames.types6.all

    private func error(_ what: String, at column: Int, _ remedy: String?) -> XDPError {
        var error = XDPError(
            .invalid, "The packet '\(text)' cannot be made", because: "\(what) (column \(column))",
            remedy: remedy)
        error.findings = [Finding(.invalid, file: "packet", line: 1, column: column, what, remedy: remedy)]
        return error
    }
}

extension WrittenPacket {
    /// Whether a single word can be a packet.
    public static func isWord(_ text: String) -> Bool { PacketNotation.vocabulary.contains(text) }

    /// The packet of a text; throws with the column of what is wrong.
    public init(parsing text: String) throws(XDPError) {
        var notation = PacketNotation(text)
        self = try notation.parse()
    }
}
