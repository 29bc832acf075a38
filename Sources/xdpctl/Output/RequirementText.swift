// SPDX-License-Identifier: Apache-2.0

/// Writes what `--require` found, a line for each name.
enum RequirementText {
    static func lines(_ required: [RequirementStatus]) -> [String] {
        let interfaces = required.map(\.interface.count).max() ?? 0
        let names = required.map(\.name.count).max() ?? 0
        return required.flatMap { row -> [String] in
            let start =
                row.interface.padding(to: interfaces) + "  " + row.name.padding(to: names) + "  "
            let answer = row.reason.map { "unknown: \($0)" } ?? row.support
            var lines = [start + Terminal.wrapped(answer, indent: start.count, column: start.count)]
            if let remedy = row.remedy {
                lines.append(Terminal.paragraph("do: \(remedy)", indent: start.count))
            }
            return lines
        }
    }
}
