// SPDX-License-Identifier: Apache-2.0

/// A line of a file and a caret below the place that is meant.
public enum SourceExcerpt {
    /// Two lines; nil where there is no such place.
    ///
    /// A long line is cut on both sides; what a terminal would take for a command becomes a question mark.
    public static func text(
        of bytes: [UInt8], line: Int, column: Int, width: Int = 76
    ) -> String? {
        guard line >= 1, column >= 1 else { return nil }
        var start = bytes.startIndex
        for _ in 1..<line {
            guard let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            start = newline + 1
        }
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        // The part around the place, so that a line of megabytes costs nothing.
        let reach = bytes[start..<end].prefix(column * 4 + width * 4)
        let characters = String(decoding: reach, as: UTF8.self).unicodeScalars.map { scalar in
            scalar == "\t" ? " " : scalar.properties.generalCategory == .control ? "?" : scalar
        }
        guard column <= characters.count + 1 else { return nil }
        let first = column <= width - 10 ? 0 : column - width / 2
        let shown = characters[first..<min(first + width, characters.count)]
        let caret = String(repeating: " ", count: column - 1 - first + (first > 0 ? 1 : 0)) + "^"
        return (first > 0 ? "…" : "") + String(String.UnicodeScalarView(shown)) + "\n" + caret
    }
}
