// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Prints results as they come, and remembers what was missed.
///
/// What must hold is judged twice: `OK` and `MISSED` say whether the bound was kept, and only a miss beyond
/// the margin makes the run fail, because a busy machine alone can push a measurement a little over.
final class Report {
    /// How far beyond its bound a measurement may be before the run fails.
    static let margin = 1.1

    private var failures: [String] = []
    private var promises: [String] = []

    func section(_ title: String) {
        // A reader of a pipe sees each section when the next one begins.
        fflush(nil)
        print("\n\(title)")
    }

    /// Rows of cells in columns; the first column stands left, the others right.
    func table(_ rows: [[String]]) {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        for row in rows {
            var line = "  "
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + padding : "  " + padding + cell
            }
            while line.last == " " { line.removeLast() }
            print(line)
        }
    }

    func note(_ text: String) {
        print("  \(text)")
    }

    /// Something that must hold.
    func promise(_ what: String, _ measured: Double, atMost bound: Double, _ unit: String) {
        let isKept = measured <= bound
        let isFailure = measured > bound * Self.margin
        let text = "\(Text.number(measured)) \(unit), at most \(Text.number(bound)) \(unit)"
        let line = "  \(Text.left(what, 32)) \(Text.left(text, 34)) \(isKept ? "OK" : "MISSED")"
        print(line)
        promises.append(line)
        if isFailure { failures.append(what) }
    }

    /// Something that must hold and could not be measured.
    func unmeasured(_ what: String, because why: String) {
        let line = "  \(Text.left(what, 32)) not measured: \(why)"
        print(line)
        promises.append(line)
        failures.append(what)
    }

    /// Prints what must hold once more, together, and says how the process shall end.
    func close() -> Int32 {
        section("What must hold")
        for line in promises { print(line) }
        if !failures.isEmpty {
            print("\nmissed by more than \(Int((Self.margin - 1) * 100 + 0.5)) %:")
            for failure in failures { print("  \(failure)") }
        }
        return failures.isEmpty ? 0 : 1
    }
}

/// Numbers and cells as text.
enum Text {
    /// Three digits that matter.
    static func number(_ value: Double) -> String {
        switch abs(value) {
        case 1000...: String(Int(value.rounded()))
        case 100...: decimal(value, 0)
        case 10...: decimal(value, 1)
        default: decimal(value, 2)
        }
    }

    static func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        let whole = abs(scaled) / scale
        let sign = scaled < 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        let fraction = String(abs(scaled) % scale)
        return "\(sign)\(whole)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// Sorted samples.
struct Samples {
    private var sorted: [Double]

    init(_ values: [Double]) {
        sorted = values.sorted()
    }

    var count: Int { sorted.count }
    var minimum: Double { sorted.first ?? 0 }
    var maximum: Double { sorted.last ?? 0 }
    var median: Double { quantile(0.5) }
    var mean: Double { sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count) }

    /// The smallest value that so much of the samples does not exceed.
    func quantile(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let place = Int((share * Double(sorted.count)).rounded(.up)) - 1
        return sorted[min(max(place, 0), sorted.count - 1)]
    }
}
