// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Text for people: colour only on a terminal, and never where NO_COLOR asks for none.
enum Terminal {
    /// Whether standard output takes colours.
    private static let hasColour: Bool =
        isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
        && getenv("TERM").map { String(cString: $0) } != "dumb"

    /// A paragraph of which every line is indented.
    static func paragraph(_ text: String, indent: Int) -> String {
        String(repeating: " ", count: indent) + wrapped(text, indent: indent, column: indent)
    }

    static func bold(_ text: String) -> String { hasColour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
    static func dim(_ text: String) -> String { hasColour ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

    /// Writes a line to standard error.
    static func error(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// Breaks a text at spaces, so that no line is longer than 80 columns; lines after the first are indented.
    ///
    /// - Parameter column: where the first line begins.
    static func wrapped(_ text: String, indent: Int, column: Int = 0) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let limit = 80 - (lines.isEmpty ? column : indent)
            if !line.isEmpty, line.count + 1 + word.count > limit {
                lines.append(line)
                line = String(word)
            } else {
                line += line.isEmpty ? String(word) : " " + word
            }
        }
        lines.append(line)
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
