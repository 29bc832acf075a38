// SPDX-License-Identifier: Apache-2.0

/// Writes texts so that every reader of YAML takes them for texts.
enum YAMLText {
    /// Words that YAML 1.1 or 1.2 reads as something else than text.
    private static let reserved: Set<String> = [
        "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf",
    ]

    /// A text, in quotes only if it needs them.
    static func quoted(_ text: String) -> String {
        isPlain(text) ? text : doubleQuoted(text)
    }

    /// The value of a variable: numbers and truth values stand without quotes.
    static func value(_ text: String) -> String {
        if text == "true" || text == "false" || isDecimal(text) { return text }
        return quoted(text)
    }

    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard let first = digits.first, digits.allSatisfy(isDigit) else { return false }
        // Other readers take a leading zero for octal.
        return digits.count == 1 || first != UInt8(ascii: "0")
    }

    /// A letter or / first, then only characters that mean nothing in YAML, and no word of its own.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/"),
            !reserved.contains(text.lowercased())
        else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "_-./+=@%".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a") <= byte | 0x20 && byte | 0x20 <= UInt8(ascii: "z")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0") <= byte && byte <= UInt8(ascii: "9")
    }

    private static func doubleQuoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value > 0xffff: quoted.unicodeScalars.append(scalar)
            case _
            where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                || [0x2028, 0x2029, 0xfeff].contains(scalar.value) || scalar.value > 0xfffd:
                quoted += "\\u" + hexadecimal(scalar.value)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
