// SPDX-License-Identifier: Apache-2.0

/// Aligned columns.
struct TextTable {
    /// How the cells of a column stand.
    enum Alignment {
        case left, right
    }

    private let alignments: [Alignment]
    private var rows: [[String]] = []

    init(_ alignments: [Alignment]) {
        self.alignments = alignments
    }

    /// How many rows there are.
    var count: Int { rows.count }

    mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    /// The lines, each behind the indentation, without spaces at the end.
    func lines(indent: Int) -> [String] {
        let widths = alignments.indices.map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = String(repeating: " ", count: indent)
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
                line += alignments[column] == .left ? cell + padding : padding + cell
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
