// SPDX-License-Identifier: Apache-2.0

/// The discussion of a command, as it stands in its definition:
///
///     Paragraphs of prose, with `code`.
///
///       lines that are indented stay as they are
///
///     Examples:
///       xdpctl load eth0 ids.o
///
/// What follows the line `Examples:` goes to the section of that name.
struct Discussion {
    private enum Block {
        case prose(String)
        case literal([String])
    }

    private let description: [Block]
    private let examples: [Block]

    init(_ text: String) {
        let all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // The exit status has a section of its own.
        let rows = all.filter { !$0.hasPrefix("Exit status:") }
        let start = rows.firstIndex(of: "Examples:") ?? rows.count
        description = Self.blocks(rows[..<start])
        examples = Self.blocks(rows[start...].dropFirst())
    }

    func write(to roff: inout Roff) {
        Self.write(description, to: &roff)
    }

    func writeExamples(heading: String = "SH", to roff: inout Roff) {
        guard !examples.isEmpty else { return }
        if heading == "SH" {
            roff.macro("SH", "EXAMPLES")
        } else {
            roff.macro(heading)
            roff.text("Examples:")
        }
        Self.write(examples, to: &roff)
    }

    private static func write(_ blocks: [Block], to roff: inout Roff) {
        for block in blocks {
            switch block {
            case .prose(let text):
                // A paragraph that opens a section would be an empty one before it.
                if roff.lines.last?.hasPrefix(".SH") == false { roff.macro("PP") }
                roff.text(Roff.prose(text))
            case .literal(let rows): roff.literal(rows)
            }
        }
    }

    /// An empty line ends a paragraph; indented lines are kept, without what they are indented by in common.
    private static func blocks(_ rows: ArraySlice<String>) -> [Block] {
        var blocks: [Block] = []
        var isOpen = false
        for row in rows {
            if row.allSatisfy({ $0 == " " }) {
                isOpen = false
            } else if row.hasPrefix("  ") {
                if case .literal(let before)? = blocks.last, isOpen {
                    blocks[blocks.count - 1] = .literal(before + [row])
                } else {
                    blocks.append(.literal([row]))
                }
                isOpen = true
            } else {
                if case .prose(let before)? = blocks.last, isOpen {
                    blocks[blocks.count - 1] = .prose(before + " " + row)
                } else {
                    blocks.append(.prose(row))
                }
                isOpen = true
            }
        }
        return blocks.map { block in
            guard case .literal(let rows) = block else { return block }
            let indent = rows.map { $0.prefix { $0 == " " }.count }.min() ?? 0
            return .literal(rows.map { String($0.dropFirst(indent)) })
        }
    }
}
