// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// Fields of packets, and what they are compared with.
extension RuleParser {
    /// What a word names; `port` and `host` are two fields of which either will do.
    enum Field {
        case addresses([AddressField])
        case numbers([NumberField])
        case macs([MACField])
        case interface

        /// As a component of a set's elements; nil for two.
        var component: SetField? {
            switch self {
            case .addresses(let fields): fields.count == 1 ? .address(fields[0]) : nil
            case .numbers(let fields): fields.count == 1 ? .number(fields[0]) : nil
            case .macs(let fields): fields.count == 1 ? .mac(fields[0]) : nil
            case .interface: .interface
            }
        }
    }

    /// What a field is compared with.
    struct Values {
        var ranges: [ClosedRange<UInt32>] = []
        var prefixes: [IPPrefix] = []
        var macs: [MACAddress] = []
        var interfaces: [String] = []
        var sets: [String] = []
    }

    /// The field that stands here; nil where there is none.
    mutating func field() throws(RuleMistake) -> Field? {
        let field: Field
        switch word {
        case .src: field = .addresses([.source])
        case .dst: field = .addresses([.destination])
        case .host: field = .addresses([.source, .destination])
        case .sport: field = .numbers([.sourcePort])
        case .dport: field = .numbers([.destinationPort])
        case .port: field = .numbers([.sourcePort, .destinationPort])
        case .proto, .protocol: field = .numbers([.protocol])
        case .ipversion: field = .numbers([.ipVersion])
        case .vlan: field = .numbers([.vlan])
        case .ethertype: field = .numbers([.etherType])
        case .dscp: field = .numbers([.dscp])
        case .tclass: field = .numbers([.trafficClass])
        case .ttl, .hoplimit: field = .numbers([.ttl])
        case .length: field = .numbers([.length])
        case .queue: field = .numbers([.queue])
        case .iif: field = .interface
        case .in:
            advance()
            guard word == .interface else {
                throw expected("interface", "`in` stands behind a field (src in @NAME) or before interface")
            }
            field = .interface
        case .inner:
            advance()
            guard word == .vlan else { throw expected("vlan") }
            field = .numbers([.innerVLAN])
        case .mac:
            advance()
            switch word {
            case .src: field = .macs([.source])
            case .dst: field = .macs([.destination])
            case .host: field = .macs([.source, .destination])
            default: throw expected("src, dst or host")
            }
        default: return nil
        }
        advance()
        return field
    }

    /// What stands behind a field.
    mutating func comparison(of field: Field) throws(RuleMistake) -> Match {
        if token.kind == .dot { return try tuple(field) }
        if let limits = try bound(of: field) { return limits }
        let isOpposite = accept(.notEqual)
        if !isOpposite, !accept(.equal) { _ = accept(.in) } else { _ = accept(.in) }
        let place = token.place
        let values = try values(of: field)
        switch field {
        case .addresses(let fields):
            return Self.combine(fields, isOpposite, exists: .test(.number(.ipVersion, [4...4, 6...6]))) {
                Self.match(
                    values.prefixes.isEmpty ? nil : .address($0, values.prefixes), .address($0), values)
            }
        case .macs(let fields):
            return Self.combine(fields, isOpposite, exists: .test(.number(.etherType, [0...65_535]))) {
                Self.match(values.macs.isEmpty ? nil : .mac($0, values.macs), .mac($0), values)
            }
        case .interface:
            let match = Self.match(
                values.interfaces.isEmpty ? nil : .interface(values.interfaces), .interface, values)
            return isOpposite ? match.opposite : match
        case .numbers(let fields):
            let ranges = NumberRanges.union(values.ranges)
            if isOpposite, values.sets.isEmpty {
                let others = NumberRanges.complement(ranges, maximum: fields[0].maximum)
                guard !others.isEmpty else {
                    throw RuleMistake(place: place, what: "that leaves no value", remedy: nil)
                }
                return .joined(fields.map { .test(.number($0, others)) })
            }
            return Self.combine(fields, isOpposite, exists: nil) {
                let match = Self.match(ranges.isEmpty ? nil : .number($0, ranges), .number($0), values)
                return isOpposite
                    ? .joined([.test(.number($0, [0...$0.maximum])), match.opposite]) : match
            }
        }
    }

    /// One of these values, or in one of these sets.
    private static func match(_ test: Test?, _ component: SetField, _ values: Values) -> Match {
        .either((test.map { [.test($0)] } ?? []) + values.sets.map { .test(.member(of: $0, [component])) })
    }

    /// Either field; with `!=` both, where they are there.
    private static func combine<Name>(
        _ fields: [Name], _ isOpposite: Bool, exists: Match?, _ match: (Name) -> Match
    ) -> Match {
        guard isOpposite else { return .either(fields.map(match)) }
        guard let exists else { return .joined(fields.map(match)) }
        return .joined([exists] + fields.map { match($0).opposite })
    }

    /// `< 5` and the like; nil where there is no such sign.
    private mutating func bound(of field: Field) throws(RuleMistake) -> Match? {
        let sign = token.kind
        switch sign {
        case .less, .lessOrEqual, .greater, .greaterOrEqual: break
        default: return nil
        }
        guard case .numbers(let fields) = field else {
            throw mistake(
                "\(shown) goes with numbers", "for addresses name networks or ranges: 192.0.2.10-192.0.2.20")
        }
        advance()
        let place = token.place
        let name = fields[0]
        let value = try numberValue(of: name)
        let range: ClosedRange<UInt32>?
        switch sign {
        case .less: range = value > 0 ? 0...value - 1 : nil
        case .lessOrEqual: range = 0...value
        case .greater: range = value < name.maximum ? value + 1...name.maximum : nil
        default: range = value...name.maximum
        }
        guard let range else {
            throw RuleMistake(
                place: place, what: "there is no such value", remedy: "it is from 0 to \(name.maximum)")
        }
        return .either(fields.map { .test(.number($0, [range])) })
    }

    /// `src . dport in @pairs`.
    private mutating func tuple(_ first: Field) throws(RuleMistake) -> Match {
        let place = token.place
        var components: [SetField] = []
        var field = first
        while true {
            guard let component = field.component else {
                throw RuleMistake(
                    place: place, what: "`host` and `port` are two fields and cannot be a part of a tuple",
                    remedy: "src or dst, sport or dport")
            }
            components.append(component)
            guard accept(.dot) else { break }
            guard components.count < 8, let next = try self.field() else {
                throw expected("a field that sets can hold", "src . dport in @pairs")
            }
            field = next
        }
        let isOpposite = accept(.notEqual)
        if !isOpposite { _ = accept(.equal) }
        _ = accept(.in)
        guard token.kind == .at else { throw expected("@ and a set of tuples", "src . dport in @pairs") }
        let member = Match.test(.member(of: try setName(), components))
        return isOpposite ? member.opposite : member
    }

    // MARK: Values

    private mutating func values(of field: Field) throws(RuleMistake) -> Values {
        var values = Values()
        guard token.kind == .openBrace else {
            repeat { try value(of: field, into: &values) } while accept(.comma)
            return values
        }
        let place = token.place
        _ = openList(.openBrace)
        if token.kind == .closeBrace {
            throw mistake("the list is empty", "a rule that matches nothing can go")
        }
        repeat {
            if token.kind == .closeBrace { break }
            try value(of: field, into: &values)
        } while accept(.comma)
        guard closeList(.closeBrace) else {
            throw expected(", or }", "the { in line \(place.line), column \(place.column) is not closed")
        }
        return values
    }

    private mutating func value(of field: Field, into values: inout Values) throws(RuleMistake) {
        try countValue()
        if token.kind == .at {
            values.sets.append(try setName())
            return
        }
        switch field {
        case .addresses: values.prefixes += try networks()
        case .macs: values.macs.append(try macAddress())
        case .interface: values.interfaces.append(try interfaceName())
        case .numbers(let fields): values.ranges.append(try numberRange(of: fields[0]))
        }
    }

    /// `@name`.
    private mutating func setName() throws(RuleMistake) -> String {
        advance()
        let place = token.place
        let set = try name(of: "set")
        references[RuleReference(.set, set, in: rulePlace)] = place
        return set
    }

    /// An address, a network, or a range of addresses as networks.
    mutating func networks() throws(RuleMistake) -> [IPPrefix] {
        guard token.kind == .word else { throw expected("an address, a network or @SET") }
        let place = token.place
        let parts = bytes.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = IPAddressText.address(parts[0]) else { throw notAnAddress() }
        var last = parts.count == 2 ? IPAddressText.address(parts[1]) : nil
        if parts.count == 2, last == nil { throw notAnAddress() }
        advance()
        if last == nil, token.kind == .word, text == "-" {
            advance()
            last = IPAddressText.address(bytes)
            guard last != nil else { throw notAnAddress() }
            advance()
        }
        if let last {
            guard let networks = IPAddressText.networks(from: first, to: last) else {
                throw RuleMistake(
                    place: place, what: "\(first)-\(last) is no range",
                    remedy: "both ends are of one family, the lower one first")
            }
            return networks
        }
        guard accept(.slash) else { return [IPPrefix(first)] }
        let bits = first.bytes.count * 8
        guard token.kind == .word, let length = Self.number(bytes), length <= UInt64(bits),
            let network = IPPrefix(first, length: Int(length))
        else { throw expected("a length from 0 to \(bits)", "such as \(first)/\(bits == 32 ? 24 : 64)") }
        advance()
        return [network]
    }

    private func notAnAddress() -> RuleMistake {
        if let word, word.endsMatch || RuleWord.matchWords.contains(word.rawValue) {
            return expected("an address, a network or @SET")
        }
        let isNumbers = bytes.allSatisfy {
            $0 == UInt8(ascii: ".") || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
        }
        return mistake(
            "\(shown) is no address",
            isNumbers
                ? "IPv4 has four numbers from 0 to 255: 192.0.2.1 or 192.0.2.0/24"
                : "expected 192.0.2.1, 192.0.2.0/24, 192.0.2.1-192.0.2.9, 2001:db8::/32 or @SET; names are not looked up"
        )
    }

    mutating func macAddress() throws(RuleMistake) -> MACAddress {
        guard token.kind == .word, let address = HardwareAddress(parsing: text), address.bytes.count == 6
        else {
            throw expected("a MAC address", "such as 02:00:00:00:00:01")
        }
        advance()
        return MACAddress(value: address.bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func interfaceName() throws(RuleMistake) -> String {
        let place = token.place
        let name = try stringOrWord("the name of an interface")
        let isName =
            (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: "/") && $0 != 0x7f }
        guard isName else {
            throw RuleMistake(
                place: place, what: "no interface can have the name \(name.prefix(40))",
                remedy: "it has 1 to 15 bytes without blanks and /")
        }
        return name
    }
}
