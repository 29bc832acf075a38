// SPDX-License-Identifier: Apache-2.0

extension Test {
    /// The test as it stands in a rule.
    var text: String {
        switch self {
        case .number(.ipVersion, [4...4]): "ip"
        case .number(.ipVersion, [6...6]): "ip6"
        case .number(.etherType, [0x0806...0x0806]): "arp"
        case .number(let field, let ranges): Self.number(field, ranges)
        case .address(let field, let networks): "\(field.word) \(Self.list(networks.map(\.description)))"
        case .mac(let field, let addresses): "mac \(field.word) \(Self.list(addresses.map(\.description)))"
        case .tcpFlags(2, 18): "syn"
        case .tcpFlags(let value, let mask): "flags \(Self.flags(value, mask))"
        case .fragment(.any): "fragment"
        case .fragment(let kind): "\(kind.rawValue) fragment"
        case .interface(let names): "iif \(Self.list(names.map(RuleText.name)))"
        case .bytes(let test): test.text
        case .member(let set, let fields): "\(fields.map(\.word).joined(separator: " . ")) in @\(set)"
        }
    }

    private static func number(_ field: NumberField, _ ranges: [ClosedRange<UInt32>]) -> String {
        if field == .protocol, ranges.count == 1, ranges[0].count == 1,
            let name = ProtocolNames.table.name(of: ranges[0].lowerBound),
            ProtocolNames.bareValues[name] != nil
        {
            return name
        }
        return "\(field.word) \(field.text(ranges))"
    }

    /// `syn, rst`, or `syn / syn, ack`.
    static func flags(_ value: UInt8, _ mask: UInt8) -> String {
        value == mask ? names(value) : "\(names(value)) / \(names(mask))"
    }

    private static func names(_ flags: UInt8) -> String {
        let names = TCPFlagNames.table.entries.filter { UInt32(flags) & $0.value != 0 }.map(\.name)
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    /// One value as it is, several in braces.
    static func list(_ values: [String]) -> String {
        values.count == 1 ? values[0] : "{ \(values.joined(separator: ", ")) }"
    }
}

extension NumberField {
    /// Ranges as they stand behind the field.
    func text(_ ranges: [ClosedRange<UInt32>]) -> String {
        guard let first = ranges.first, let last = ranges.last else { return "{ }" }
        if ranges.count == 1 {
            if first.count > 1, first.lowerBound == 0, first.upperBound < maximum {
                return "< \(first.upperBound + 1)"
            }
            if first.count > 1, first.lowerBound > 0, first.upperBound == maximum {
                return "> \(first.lowerBound - 1)"
            }
            return value(first)
        }
        if first.lowerBound == 0, last.upperBound == maximum {
            let gaps = zip(ranges, ranges.dropFirst()).map { value($0.upperBound + 1...$1.lowerBound - 1) }
            return "!= \(Test.list(gaps))"
        }
        return Test.list(ranges.map(value))
    }

    private func value(_ range: ClosedRange<UInt32>) -> String {
        guard range.count == 1 else { return "\(range.lowerBound)-\(range.upperBound)" }
        if let name = writtenNames?.name(of: range.lowerBound) { return name }
        guard self == .etherType else { return "\(range.lowerBound)" }
        return "0x" + String(range.lowerBound, radix: 16)
    }
}

extension AddressField {
    var word: String { self == .source ? "src" : "dst" }
}

extension MACField {
    var word: String { self == .source ? "src" : "dst" }
}

extension SetField {
    var word: String {
        switch self {
        case .address(let field): field.word
        case .number(let field): field.word
        case .mac(let field): "mac \(field.word)"
        case .interface: "iif"
        }
    }
}

extension ByteTest {
    /// `@network+9,1 & 0x0f == 6`.
    var text: String {
        let place = base == .frame ? "@\(offset)" : "@\(base.rawValue)+\(offset)"
        let masked = mask == .max ? "" : " & 0x\(String(mask, radix: 16))"
        return "\(place),\(count)\(masked) \(comparison.rawValue) 0x\(String(value, radix: 16))"
    }
}
