// SPDX-License-Identifier: Apache-2.0
import Filter

/// What `filter import` prints.
struct FilterImportOutput: Encodable {
    /// Something that is not carried over.
    struct Note: Encodable {
        let line: Int
        let what: String
    }

    let format = 1
    let text: String
    let writtenTo: String?
    let rules: Int
    let sets: Int
    let elements: Int
    let notes: [Note]

    init(_ result: RuleImport, writtenTo path: String?) {
        text = result.text
        writtenTo = path
        rules = result.ruleSet.rules.count
        sets = result.ruleSet.sets.count
        elements = result.ruleSet.sets.reduce(0) { $0 + $1.elements.count }
        notes = result.notes.map { Note(line: $0.line, what: $0.what) }
    }
}
