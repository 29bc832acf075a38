// SPDX-License-Identifier: Apache-2.0
import XDP

/// Numbers, rates and times.
extension RuleParser {
    /// A number, decimal or hexadecimal.
    mutating func number(
        _ range: ClosedRange<UInt64>, _ what: String, hint: String? = nil
    ) throws(RuleMistake) -> UInt64 {
        guard token.kind == .word, let value = Self.number(bytes) else { throw expected("a number", hint) }
        guard range.contains(value) else {
            throw mistake("\(shown) is not from \(range.lowerBound) to \(range.upperBound) \(what)", hint)
        }
        advance()
        return value
    }

    /// Decimal or, behind 0x, hexadecimal; nil also where it is too large for 64 bits.
    static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        if digits.count > 2, digits.first == UInt8(ascii: "0"), digits.dropFirst().first == UInt8(ascii: "x")
        {
            return digits.count > 18
                ? nil : UInt64(String(decoding: digits.dropFirst(2), as: UTF8.self), radix: 16)
        }
        guard !digits.isEmpty, digits.count <= 20 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// `5`, `5 MB`, `5MB`, `10 Mbit`, `1000 packets`.
    struct Quantity {
        /// Packets or bytes, or bits.
        var value: UInt64
        var unit: Rate.Unit
        var isBits = false
        var hasUnit = false
    }

    /// Letters behind the number, in the same word or the next one.
    private static let units: [String: (factor: UInt64, unit: Rate.Unit, isBits: Bool)] = [
        "packet": (1, .packets, false), "packets": (1, .packets, false),
        "bit": (1, .bytes, true), "bits": (1, .bytes, true), "kbit": (1_000, .bytes, true),
        "mbit": (1_000_000, .bytes, true), "gbit": (1_000_000_000, .bytes, true),
        "byte": (1, .bytes, false), "bytes": (1, .bytes, false), "b": (1, .bytes, false),
        "kb": (1_000, .bytes, false), "mb": (1_000_000, .bytes, false), "gb": (1_000_000_000, .bytes, false),
        "kib": (1 << 10, .bytes, false), "mib": (1 << 20, .bytes, false), "gib": (1 << 30, .bytes, false),
        "kbyte": (1_000, .bytes, false), "mbyte": (1_000_000, .bytes, false),
        "kbytes": (1_000, .bytes, false), "mbytes": (1_000_000, .bytes, false),
    ]

    mutating func quantity(defaultUnit: Rate.Unit) throws(RuleMistake) -> Quantity {
        let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard token.kind == .word, !digits.isEmpty else { throw expected("a number") }
        guard let value = Self.number(digits) else { throw mistake("\(shown) is too large") }
        var result = Quantity(value: value, unit: defaultUnit)
        var letters = String(decoding: bytes.dropFirst(digits.count), as: UTF8.self)
        if letters.isEmpty {
            advance()
            // What follows may also be the next word of the rule.
            guard token.kind == .word, Self.units[text.lowercased()] != nil else { return result }
            letters = text
        }
        guard let unit = Self.units[letters.lowercased()] else {
            throw mistake("\(letters) is no unit", "packets, bytes, kB, MB, KiB, MiB, kbit, Mbit or Gbit")
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit.factor)
        guard !overflow else { throw mistake("that is too large") }
        result.value = product
        result.unit = unit.unit
        result.isBits = unit.isBits
        result.hasUnit = true
        advance()
        return result
    }

    /// `10/second`, `1000 packets/minute`, `10 Mbit/second`, `64 KiB/s`.
    mutating func rate() throws(RuleMistake) -> Rate {
        let place = token.place
        var amount = try quantity(defaultUnit: .packets)
        if amount.isBits { amount.value /= 8 }
        guard amount.value >= 1 else {
            throw RuleMistake(
                place: place, what: "a rate is at least one \(amount.unit == .packets ? "packet" : "byte")",
                remedy: "to let nothing through use `drop`")
        }
        guard accept(.slash) else { throw expected("/ and a time: 10/second", "second, minute, hour or day") }
        return Rate(amount.value, amount.unit, per: try period())
    }

    private mutating func period() throws(RuleMistake) -> Rate.Period {
        let period: Rate.Period
        switch text {
        case "s", "sec", "second": period = .second
        case "m", "min", "minute": period = .minute
        case "h", "hour": period = .hour
        case "d", "day": period = .day
        default: throw expected("second, minute, hour or day")
        }
        advance()
        return period
    }

    /// `1h`, `90s`, `1h30m`, in seconds.
    mutating func duration() throws(RuleMistake) -> UInt64 {
        guard token.kind == .word, let seconds = Self.duration(bytes) else {
            throw expected("a time such as 30s, 10m, 1h, 7d or 1h30m")
        }
        guard seconds >= 1, seconds <= Self.longestDuration else {
            throw mistake("a timeout is from one second to ten years")
        }
        advance()
        return seconds
    }

    static let longestDuration: UInt64 = 3650 * 86_400

    static func duration(_ text: ArraySlice<UInt8>) -> UInt64? {
        var rest = text
        var sum: UInt64 = 0
        guard !rest.isEmpty, rest.count <= 40 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard digits.count <= 12, let value = number(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let factor: UInt64
            switch rest.popFirst() {
            case UInt8(ascii: "s")?: factor = 1
            case UInt8(ascii: "m")?: factor = 60
            case UInt8(ascii: "h")?: factor = 3600
            case UInt8(ascii: "d")?: factor = 86_400
            case UInt8(ascii: "w")?: factor = 604_800
            default: return nil
            }
            // Twelve digits of weeks fit in 64 bits, and so does a sum of twenty of them.
            sum += value * factor
        }
        return sum
    }
}
