// SPDX-License-Identifier: Apache-2.0
import XDP

/// Values of fields that are numbers.
extension RuleParser {
    /// A number, a name, or a range.
    mutating func numberRange(of field: NumberField) throws(RuleMistake) -> ClosedRange<UInt32> {
        let place = token.place
        // Names may have a hyphen too; a range begins with a digit.
        if token.kind == .word, let first = bytes.first, first >= UInt8(ascii: "0"),
            first <= UInt8(ascii: "9"),
            let hyphen = bytes.firstIndex(of: UInt8(ascii: "-"))
        {
            let low = try value(bytes[..<hyphen], of: field)
            let high = try value(bytes[bytes.index(after: hyphen)...], of: field)
            guard low <= high else { throw mistake("\(shown) is no range", "the lower one comes first") }
            advance()
            return low...high
        }
        let low = try numberValue(of: field)
        guard token.kind == .word, text == "-" else { return low...low }
        advance()
        let high = try numberValue(of: field)
        guard low <= high else {
            throw RuleMistake(
                place: place, what: "\(low)-\(high) is no range", remedy: "the lower one comes first")
        }
        return low...high
    }

    /// A number or a name.
    mutating func numberValue(of field: NumberField) throws(RuleMistake) -> UInt32 {
        guard token.kind == .word else { throw expected(field.expectation) }
        let result = try value(bytes, of: field)
        advance()
        return result
    }

    private func value(_ text: ArraySlice<UInt8>, of field: NumberField) throws(RuleMistake) -> UInt32 {
        if let number = Self.number(text) {
            guard number <= UInt64(field.maximum) else {
                throw mistake(
                    "\(String(decoding: text, as: UTF8.self)) is too large",
                    "\(field.word) is at most \(field.maximum)")
            }
            return UInt32(number)
        }
        let name = String(decoding: text, as: UTF8.self)
        for table in field.names {
            if let number = table.value(of: name) { return number }
        }
        let guess = Spelling.guess(name, among: field.names.flatMap(\.all))
        throw mistake("\(name.prefix(40)) is no \(field.noun)", guess ?? "expected \(field.expectation)")
    }
}

extension NumberField {
    /// The word in rules.
    var word: String {
        switch self {
        case .etherType: "ethertype"
        case .vlan: "vlan"
        case .innerVLAN: "inner vlan"
        case .ipVersion: "ipversion"
        case .protocol: "proto"
        case .dscp: "dscp"
        case .trafficClass: "tclass"
        case .ttl: "ttl"
        case .sourcePort: "sport"
        case .destinationPort: "dport"
        case .icmpType: "icmp type"
        case .icmpCode: "icmp code"
        case .icmp6Type: "icmpv6 type"
        case .icmp6Code: "icmpv6 code"
        case .length: "length"
        case .queue: "queue"
        }
    }

    /// The names that values are read by.
    var names: [NameTable] {
        switch self {
        case .etherType: [EtherTypeNames.table]
        case .protocol: [ProtocolNames.table]
        case .dscp: [DSCPNames.table]
        case .sourcePort, .destinationPort: [ServiceNames.table]
        case .icmpType: [ICMPNames.types]
        case .icmpCode: [ICMPNames.codes]
        case .icmp6Type: [ICMPNames.types6]
        case .icmp6Code: [ICMPNames.codes6]
        case .vlan, .innerVLAN, .ipVersion, .trafficClass, .ttl, .length, .queue: []
        }
    }

    /// The names that values are written by.
    var writtenNames: NameTable? {
        switch self {
        case .etherType, .protocol, .dscp, .icmpType, .icmp6Type: names.first
        default: nil
        }
    }

    /// What a value is, for messages.
    var noun: String {
        switch self {
        case .sourcePort, .destinationPort: "port"
        case .icmpType, .icmp6Type: "type"
        case .icmpCode, .icmp6Code: "code"
        case .protocol: "protocol"
        case .etherType: "ethertype"
        case .dscp: "class of service"
        default: "number"
        }
    }

    var expectation: String {
        names.isEmpty ? "a number up to \(maximum)" : "a number up to \(maximum) or the name of a \(noun)"
    }
}

/// Lists of ranges.
enum NumberRanges {
    /// Ascending, disjoint, not adjacent.
    static func union(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        guard ranges.count > 1 else { return ranges }
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, UInt64(range.lowerBound) <= UInt64(last.upperBound) + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    /// What is left of 0 to the maximum.
    static func complement(_ ranges: [ClosedRange<UInt32>], maximum: UInt32) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            guard range.upperBound < maximum else { return result }
            next = range.upperBound + 1
        }
        result.append(next...maximum)
        return result
    }
}
