// SPDX-License-Identifier: Apache-2.0
import XDP

extension RuleSet {
    /// A rule file that says the same: always the same text for the same rules, and read back it is equal to
    /// ``normalized``.
    public var text: String {
        var text = ""
        if !countsRules { text += "counters off\n\n" }
        for set in sets { text += set.text + "\n" }
        if !sets.isEmpty { text += "\n" }
        for group in groups {
            text += "group \(group.name) {\n"
            for rule in group.rules { text += "  \(rule.text)\n" }
            text += "}\n\n"
        }
        text += "rules {\n"
        for rule in rules { text += "  \(rule.text)\n" }
        return text + "  default \(policy.ruleWord)\n}\n"
    }
}

extension Rule {
    /// The rule as it stands in a file, in one line; equal rules have equal texts.
    public var text: String {
        let match = self.match.text
        var words: [String] = []
        switch action {
        case .decide(let verdict): words = [verdict.ruleWord, match]
        case .redirect(let interface): words = ["redirect to", RuleText.name(interface), match]
        case .jump(let group): words = ["jump", group, match]
        case .limit(let limit): words = ["limit", match, limit.text]
        case .log(let settings): words = ["log", match, settings.text]
        case .count: words = ["count", match]
        }
        if let counter { words.append("counter \(RuleText.quoted(counter))") }
        if let comment { words.append("comment \(RuleText.quoted(comment))") }
        return words.filter { !$0.isEmpty }.joined(separator: " ")
    }
}

extension Verdict {
    /// The word in rules.
    var ruleWord: String { self == .aborted ? "abort" : description }
}

extension Limit {
    /// `to 10/second per src burst 20 else pass`.
    var text: String {
        var text = "to \(rate.text)"
        switch scope {
        case .rule: break
        case .source(let bits4, let bits6): text += " per src\(Self.bits(bits4, bits6))"
        case .destination(let bits4, let bits6): text += " per dst\(Self.bits(bits4, bits6))"
        }
        let standard = rate.unit == .packets ? Self.standardBurst : Self.standardByteBurst
        if burst != standard { text += " burst \(RuleText.amount(burst, rate.unit))" }
        if excess != .drop { text += " else \(excess.ruleWord)" }
        return text
    }

    private static func bits(_ bits4: UInt8, _ bits6: UInt8) -> String {
        bits4 == 32 && bits6 == 128 ? "" : " /\(bits4)" + (bits6 == 128 ? "" : ",\(bits6)")
    }
}

extension Rate {
    /// `10/second`, `10 Mbit/second`.
    var text: String { "\(RuleText.amount(amount, unit))/\(period)" }
}

extension LogSettings {
    /// `at most 5/second sample 1/100 prefix "x" snap 64`.
    var text: String {
        var words: [String] = []
        if atMost != Self.standardRate { words.append("at most \(atMost.text)") }
        if sample != 1 { words.append("sample 1/\(sample)") }
        if !prefix.isEmpty { words.append("prefix \(RuleText.quoted(prefix))") }
        if snapLength != Self.standardSnapLength { words.append("snap \(snapLength)") }
        return words.joined(separator: " ")
    }
}

/// Parts of texts.
enum RuleText {
    /// Packets as a number; bytes in the largest unit that says them exactly.
    static func amount(_ amount: UInt64, _ unit: Rate.Unit) -> String {
        guard unit == .bytes else { return "\(amount)" }
        let units: [(UInt64, String)] = [
            (1_000_000_000, "GB"), (1 << 30, "GiB"), (1_000_000, "MB"), (1 << 20, "MiB"), (1_000, "kB"),
            (1 << 10, "KiB"),
        ]
        for (factor, name) in units where amount >= factor && amount % factor == 0 {
            return "\(amount / factor) \(name)"
        }
        return "\(amount) bytes"
    }

    /// `1h30m`.
    static func duration(_ seconds: UInt64) -> String {
        var rest = seconds
        var text = ""
        for (factor, letter) in [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] as [(UInt64, String)]
        where rest >= factor {
            text += "\(rest / factor)\(letter)"
            rest %= factor
        }
        return text.isEmpty ? "0s" : text
    }

    /// A name as it is, if it is a word that means nothing else, or in quotes.
    static func name(_ name: String) -> String {
        var name = name
        let isWord = name.withUTF8 { bytes in
            guard let first = bytes.first, isLetter(first) else { return false }
            // A dot within a word belongs to it.
            guard bytes.last != UInt8(ascii: ".") else { return false }
            return bytes.allSatisfy {
                isLetter($0) || $0 == UInt8(ascii: ".")
                    || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
        }
        return isWord && RuleWord(rawValue: name) == nil ? name : quoted(name)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
