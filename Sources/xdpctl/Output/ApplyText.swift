// SPDX-License-Identifier: Apache-2.0
import Configuration

/// Writes a plan and its end for people.
enum ApplyText {
    static func print(_ plan: [PlannedInterface]) {
        for planned in plan {
            let output = ApplyOutput.InterfaceOutput(planned)
            let source = output.file ?? "no file names it"
            let result =
                switch output.outcome {
                case "skipped": "there is no such interface, passed over"
                case "unchanged": "nothing to change"
                default: "1 swap"
                }
            Swift.print(
                Terminal.wrapped("\(Terminal.bold(output.interface))  \(result) (\(source))", indent: 4))
            guard output.swaps > 0 else { continue }
            var table = TextTable([.left, .left])
            for step in output.steps { table.add(step.action, step.member ?? step.detail ?? "") }
            for (line, step) in zip(table.lines(indent: 2), output.steps) {
                let detail = step.member == nil ? nil : step.detail
                if let detail, line.count + 2 + detail.count <= 80 {
                    Swift.print("\(line)  \(detail)")
                } else {
                    Swift.print(line)
                    if let detail { Swift.print(Terminal.paragraph(detail, indent: 12)) }
                }
            }
        }
    }

    static func printEnd(_ output: ApplyOutput) {
        // A change that was made has said it.
        for interface in output.interfaces where output.dryRun {
            guard let checks = interface.checks, !checks.isEmpty else { continue }
            Swift.print("\(Terminal.bold(interface.interface))  what the checks find")
            for check in checks { Swift.print(check.text) }
        }
        if !output.interfaces.contains(where: { $0.swaps > 0 }) {
            Swift.print("nothing to change")
        } else if output.dryRun {
            Swift.print("nothing was changed (--dry-run)")
        }
    }
}
