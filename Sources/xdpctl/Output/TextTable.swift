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

    /// How wide each column is.
    private var widths: [Int] {
        alignments.indices.map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
    }

    /// By how much the lines are longer than 80 columns, if the cells of `column` are cut to the shortest that still says
    /// something.
    func excess(indent: Int, shortening column: Int) -> Int {
        let widths = widths
        let rest = max(0, widths[column] - Self.shortest)
        return max(0, Self.length(widths, indent) - rest - Self.limit)
    }

    private static let limit = 80
    private static let shortest = 16

    private static func length(_ widths: [Int], _ indent: Int) -> Int {
        let shown = widths.lastIndex { $0 > 0 }.map { widths[...$0] } ?? []
        return indent + shown.reduce(0, +) + 2 * max(0, shown.count - 1)
    }

    /// The lines, with the cells of `column` cut where they would be longer than 80 columns.
    func lines(indent: Int, shortening column: Int) -> [String] {
        let widths = widths
        let excess = Self.length(widths, indent) - Self.limit
        guard excess > 0 else { return lines(indent: indent) }
        var table = self
        let width = max(widths[column] - excess, Self.shortest)
        for row in rows.indices where rows[row].indices.contains(column) {
            table.rows[row][column] = Terminal.shortened(rows[row][column], to: width)
        }
        return table.lines(indent: indent)
    }

    /// The lines, each behind the indentation, without spaces at the end.
    func lines(indent: Int) -> [String] {
        let widths = widths
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
