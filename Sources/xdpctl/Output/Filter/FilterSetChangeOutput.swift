// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// What `filter set add`, `delete` and `flush` print. Documentation/json.md describes the fields.
struct FilterSetChangeOutput: Encodable {
    enum Operation: String, Encodable {
        case added, deleted
    }

    let format = 1
    let interface: String
    let filter: String
    let set: String
    /// Elements that came.
    let added: Int
    /// Elements that went because they were named.
    let deleted: Int
    /// Elements that were there already, or that were not there to be deleted.
    let unchanged: Int
    /// The first of those that were not there.
    let missing: [String]
    /// Elements that had ended.
    let expired: Int
    /// For how many elements the set got new maps; nil where it had room.
    let grewTo: Int?
    let warnings: [String]
    private let operation: Operation

    private enum CodingKeys: CodingKey {
        case format, interface, filter, set, added, deleted, unchanged, missing, expired, grewTo, warnings
    }

    init(
        _ operation: Operation, _ change: SetChange, _ contents: SetContents?, _ editor: SetEditor
    ) throws(XDPError) {
        self.operation = operation
        interface = editor.interface.name
        filter = try editor.filter().name
        set = editor.set
        added = operation == .added ? change.changed : 0
        deleted = operation == .deleted ? change.changed : 0
        unchanged = change.unchanged
        missing = change.missing.map {
            SetListing.Element(components: $0.components, remaining: nil, isDeclared: false).text
        }
        expired = change.expired
        grewTo = change.grewTo
        warnings = contents?.warnings.map(\.description) ?? []
    }

    func print(_ options: GlobalOptions) {
        if options.json { return JSONOutput.print(self) }
        for warning in warnings { Terminal.error("xdpctl: \(Terminal.clean(warning))") }
        Swift.print(lines.joined(separator: "\n"))
    }

    private var lines: [String] {
        func elements(_ count: Int) -> String { count == 1 ? "1 element" : "\(count) elements" }
        func were(_ count: Int) -> String { count == 1 ? "was" : "were" }
        var lines: [String] = []
        switch operation {
        case .added:
            lines.append("\(elements(added)) added to \(set)")
            if unchanged > 0 { lines.append("\(elements(unchanged)) \(were(unchanged)) there already") }
        case .deleted:
            lines.append("\(elements(deleted)) deleted from \(set)")
            if unchanged > 0 {
                let more = unchanged > missing.count ? ", …" : ""
                lines.append(
                    Terminal.wrapped(
                        "\(elements(unchanged)) \(were(unchanged)) not there: "
                            + "\(missing.joined(separator: ", "))\(more)", indent: 2))
            }
        }
        if expired > 0 { lines.append("\(elements(expired)) had ended and \(were(expired)) removed") }
        if let grewTo { lines.append("the set was full and has room for \(grewTo) elements and more now") }
        return lines
    }
}

/// What `filter set test` prints.
struct FilterSetTestOutput: Encodable {
    struct Answer: Encodable {
        let element: String
        let isContained: Bool
    }

    let format = 1
    let interface: String
    let filter: String
    let set: String
    let elements: [Answer]

    init(_ answers: [(String, Bool)], set: String, on interface: String, filter: String) {
        self.interface = interface
        self.filter = filter
        self.set = set
        elements = answers.map { Answer(element: $0.0, isContained: $0.1) }
    }

    var text: String {
        elements.map { "\(Terminal.clean($0.element)) is \($0.isContained ? "" : "not ")in \(set)\n" }
            .joined()
    }
}
