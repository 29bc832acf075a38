// SPDX-License-Identifier: Apache-2.0
import Filter

/// What `filter explain` prints. Documentation/json.md describes the fields.
struct FilterExplainOutput: Encodable {
    struct StageOutput: Encodable {
        let name: String
        let detail: String
        let rules: String?
        let nanoseconds: Double
    }

    let format = 1
    let file: String
    let stages: [StageOutput]
    /// Of a packet that goes through all stages that every packet may meet.
    let nanoseconds: Double
    let instructions: Int
    let tableBytes: Int
    let maps: Int
    let remarks: [String]

    init(_ compiled: CompiledFilter, of file: String) {
        self.file = file
        stages = compiled.plan.stages.map {
            StageOutput(
                name: $0.name, detail: $0.detail, rules: $0.rules.isEmpty ? nil : $0.rules,
                nanoseconds: $0.nanoseconds)
        }
        // What only packets that match pay is no part of the sum.
        let common = stages.filter { $0.name != "limit" && $0.name != "log" }
        nanoseconds = (common.reduce(0) { $0 + $1.nanoseconds } * 10).rounded() / 10
        instructions = compiled.unit.instructions.count
        tableBytes = compiled.plan.tableBytes
        maps = compiled.unit.maps.count
        remarks = compiled.plan.remarks
    }

    func print() {
        Swift.print(Terminal.bold(file))
        let width = stages.map(\.name.count).max() ?? 0
        for stage in stages {
            let name = stage.name + String(repeating: " ", count: width - stage.name.count)
            let time = Self.text(stage.nanoseconds)
            let head = "  \(name)  \(String(repeating: " ", count: max(6 - time.count, 0)))\(time) ns  "
            let text = stage.rules.map { "\(stage.detail) (\($0))" } ?? stage.detail
            let lines = Terminal.wrapped(text, indent: head.count, column: head.count)
            Swift.print(head + lines)
        }
        Swift.print("")
        Swift.print(
            Terminal.wrapped(
                "  about \(Self.text(nanoseconds)) ns for a packet that no limit or log is about; "
                    + "\(instructions) instructions, \(maps) maps, \(tableBytes) bytes of tables without sets",
                indent: 2))
        for remark in remarks { Swift.print(Terminal.wrapped("  \(remark)", indent: 2)) }
    }

    private static func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
