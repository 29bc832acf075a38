// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// What `filter check` prints.
struct FilterCheckOutput: Encodable {
    let format = 1
    let files: [FileOutput]

    /// What there is to say of a file.
    struct FileOutput: Encodable {
        let file: String
        /// Whether `apply` would take it.
        let isUsable: Bool
        /// What is in it; nil where it cannot be used.
        let contents: Contents?
        let findings: [FindingOutput]

        init(_ file: String, _ bytes: [UInt8]) {
            self.file = file
            do throws(XDPError) {
                let rules = try RuleFile.parse(bytes, file: file)
                isUsable = true
                contents = Contents(rules)
                findings = RuleChecks.warnings(in: rules).map(FindingOutput.init)
            } catch {
                isUsable = false
                contents = nil
                findings = error.findings.map(FindingOutput.init)
            }
        }
    }

    struct Contents: Encodable {
        let rules: Int
        let groups: Int
        let sets: Int
        let `default`: String

        init(_ ruleSet: RuleSet) {
            rules = ruleSet.rules.count + ruleSet.groups.reduce(0) { $0 + $1.rules.count }
            groups = ruleSet.groups.count
            sets = ruleSet.sets.count
            `default` = ruleSet.policy.description
        }
    }

    struct FindingOutput: Encodable {
        let severity: String
        /// The stable name of a warning.
        let rule: String?
        let line: Int?
        let column: Int?
        let what: String
        let remedy: String?

        init(_ finding: Finding) {
            severity = "error"
            rule = nil
            line = finding.line
            column = finding.column
            what = finding.what
            remedy = finding.remedy
        }

        init(_ warning: RuleWarning) {
            severity = "warning"
            rule = warning.kind.rawValue
            line = warning.place.line > 0 ? warning.place.line : nil
            column = warning.place.line > 0 ? warning.place.column : nil
            what = warning.what
            remedy = warning.remedy
        }
    }
}

extension FilterCheckOutput.FileOutput {
    /// The findings as compilers write them, each with its source.
    func print(_ bytes: [UInt8]) {
        for finding in findings {
            let place = ([file] + [finding.line, finding.column].compactMap { $0 }.map(String.init))
                .joined(separator: ":")
            // One line whatever its length: editors read it.
            Swift.print(Terminal.clean("\(place): \(finding.severity): \(finding.what)"))
            if let line = finding.line, let column = finding.column,
                let excerpt = SourceExcerpt.text(of: bytes, line: line, column: column)
            {
                for line in excerpt.split(separator: "\n", omittingEmptySubsequences: false) {
                    Swift.print("    \(line)")
                }
            }
            if let remedy = finding.remedy { Swift.print(Terminal.paragraph(remedy, indent: 4)) }
        }
        guard let contents else { return }
        let sets = contents.sets == 0 ? "" : ", \(Self.count(contents.sets, "set"))"
        let groups = contents.groups == 0 ? "" : ", \(Self.count(contents.groups, "group"))"
        let warnings = findings.isEmpty ? "" : ", \(Self.count(findings.count, "warning"))"
        Swift.print(
            "\(file): \(Self.count(contents.rules, "rule"))\(sets)\(groups), default \(contents.default)\(warnings)"
        )
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
