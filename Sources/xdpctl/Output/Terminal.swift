// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// Text for people: colour only on a terminal, and never where NO_COLOR asks for none.
enum Terminal {
    /// Whether standard output takes colours.
    private static let hasColour: Bool =
        isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
        && getenv("TERM").map { String(cString: $0) } != "dumb"

    /// Whether somebody may still read standard output: not if it is a pipe that was closed at the other end.
    static var hasReader: Bool {
        var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&entry, 1, 0) < 1 || Int32(entry.revents) & (POLLERR | POLLHUP) == 0
    }

    /// A paragraph of which every line is indented, the first one to `column` if that is another.
    static func paragraph(_ text: String, indent: Int, column: Int? = nil) -> String {
        let first = column ?? indent
        return String(repeating: " ", count: first) + wrapped(text, indent: indent, column: first)
    }

    /// What somebody is to do, a paragraph behind "do: ". Commands, which stand between backquotes, are in one line where they
    /// fit, so that they can be copied.
    static func advice(_ text: String, indent: Int, column: Int) -> String {
        let most = 80 - indent
        var words: [String] = []
        var isOpen = false
        for word in ("do: " + text).split(separator: " ", omittingEmptySubsequences: false) {
            if isOpen, let last = words.last, last.count + 1 + word.count <= most {
                words[words.count - 1] = last + " " + word
            } else {
                words.append(String(word))
            }
            if !word.count(where: { $0 == "`" }).isMultiple(of: 2) { isOpen.toggle() }
        }
        return String(repeating: " ", count: column) + joined(words, indent: indent, column: column)
    }

    /// A name that others chose, without what a terminal would take for a command.
    static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }

    /// A text of at most so many characters, cut where it is longer.
    static func shortened(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
    }

    static func bold(_ text: String) -> String { hasColour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
    static func dim(_ text: String) -> String { hasColour ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

    /// A verdict in its colour: what is lost is red, what leaves by another way blue.
    static func coloured(_ text: String, _ verdict: Verdict) -> String {
        let codes: [Verdict: String] = [
            .aborted: "1;31", .drop: "31", .pass: "32", .tx: "36", .redirect: "34",
        ]
        guard hasColour, let code = codes[verdict] else { return text }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }

    /// Writes a line to standard error.
    static func error(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// Breaks a text at spaces, so that no line is longer than 80 columns; lines after the first are indented.
    ///
    /// - Parameter column: where the first line begins.
    static func wrapped(_ text: String, indent: Int, column: Int = 0) -> String {
        joined(
            text.split(separator: " ", omittingEmptySubsequences: false).map(String.init), indent: indent,
            column: column)
    }

    private static func joined(_ words: [String], indent: Int, column: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in words {
            let limit = 80 - (lines.isEmpty ? column : indent)
            if !line.isEmpty, line.count + 1 + word.count > limit {
                lines.append(line)
                line = word
            } else {
                line += line.isEmpty ? word : " " + word
            }
        }
        lines.append(line)
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
