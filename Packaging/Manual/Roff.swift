// SPDX-License-Identifier: Apache-2.0

/// Text for man(7): what a reader sees, with everything escaped that roff would take for its own.
struct Roff {
    private(set) var lines: [String] = []

    /// A request with arguments, such as `.SH NAME`.
    mutating func macro(_ name: String, _ arguments: String...) {
        lines.append(([".\(name)"] + arguments.map(Self.quoted)).joined(separator: " "))
    }

    mutating func comment(_ text: String) {
        lines.append(".\\\" \(text)")
    }

    /// Text, with its markup already made by ``bold(_:)`` and the like, in lines that a reader of the source
    /// sees whole.
    mutating func text(_ text: String) {
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > 78 {
                row(line)
                line = ""
            }
            line += line.isEmpty ? word : " " + word
        }
        if !line.isEmpty { row(line) }
    }

    /// One line. A dot or an apostrophe at its beginning would be a request.
    private mutating func row(_ line: String) {
        lines.append(line.first == "." || line.first == "'" ? "\\&\(line)" : line)
    }

    /// Lines that stay as they are.
    mutating func literal(_ rows: [String]) {
        if lines.last?.hasPrefix(".SH") == false { macro("PP") }
        macro("RS", "4")
        macro("nf")
        for line in rows { row(line.isEmpty ? "\\&" : Self.escaped(line)) }
        macro("fi")
        macro("RE")
    }

    var output: String { lines.joined(separator: "\n") + "\n" }

    static func bold(_ text: String) -> String { "\\fB\(escaped(text))\\fR" }
    static func italic(_ text: String) -> String { "\\fI\(escaped(text))\\fR" }

    /// Prose, in which `code` becomes bold.
    static func prose(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { $0.offset.isMultiple(of: 2) ? escaped(String($0.element)) : bold(String($0.element)) }
            .joined()
    }

    /// The text as roff has to read it. A plain hyphen would be set as one that cannot be copied to a shell.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "\"": result += "\\(dq"
            case " "..."~": result.unicodeScalars.append(scalar)
            default: result += "\\[u\(hexadecimal(scalar.value))]"
            }
        }
        return result
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func quoted(_ argument: String) -> String {
        argument.contains(" ") || argument.isEmpty ? "\"\(argument)\"" : argument
    }
}
