// SPDX-License-Identifier: Apache-2.0
import XDP

/// Reads the language of rules. Documentation/filter.md has its grammar.
public enum RuleFile {
    /// The largest rule file, in bytes.
    public static let largestText = 64 << 20
    /// How deep parentheses and `not` may nest.
    public static let deepestNesting = 64
    /// The most elements and values of lists in one file; larger sets stand in files of their own.
    public static let mostValues = 1_000_000
    /// The most rules in one file.
    public static let mostRules = 1_000_000
    /// After so many mistakes reading ends.
    public static let mostFindings = 100

    /// The rule set that a file describes.
    ///
    /// Throws one error with everything that is wrong in the file (``XDPError/findings``).
    public static func parse(_ bytes: [UInt8], file: String) throws(XDPError) -> RuleSet {
        guard bytes.count <= largestText else {
            throw error(
                [
                    Finding(
                        .invalid, file: file, "the file is larger than \(largestText >> 20) MiB",
                        remedy:
                            "lists of addresses belong into files of their own: set NAME : prefix from \"FILE\""
                    )
                ], file: file)
        }
        var parser = RuleParser(bytes)
        parser.parseFile()
        let ruleSet = parser.finish()
        guard parser.findings.isEmpty, let ruleSet else { throw error(parser.findings, file: file) }
        return ruleSet
    }

    /// One rule, as it stands within `rules { … }`; the sets and groups that it names have to be in the rule set.
    ///
    /// - Parameter group: the group that it is to stand in; nil: among the main rules.
    public static func parseRule(
        _ text: String, in ruleSet: RuleSet, group: String? = nil, file: String = "rule"
    ) throws(XDPError) -> Rule {
        var parser = RuleParser(Array(text.utf8))
        parser.ruleSet = ruleSet
        let rule = parser.parseSingleRule(group: group)
        guard parser.findings.isEmpty, let rule else { throw error(parser.findings, file: file) }
        return rule
    }

    /// Elements as they stand between the braces of a set: `192.0.2.0/24 timeout 10m, 198.51.100.7`.
    public static func parseElements(
        _ text: String, of set: SetDeclaration, file: String = "elements"
    ) throws(XDPError) -> [SetElement] {
        var parser = RuleParser(Array(text.utf8))
        let elements = parser.parseLooseElements(of: set)
        guard parser.findings.isEmpty else { throw error(parser.findings, file: file) }
        return elements
    }

    /// One error for everything that was found.
    static func error(_ findings: [Finding], file: String) -> XDPError {
        var error = XDPError(
            .invalid, "\(file) cannot be used",
            because: findings.count == 1 ? "one thing is wrong" : "\(findings.count) things are wrong")
        error.findings = findings.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            return (a.line ?? 0, a.column ?? 0, left.offset) < (b.line ?? 0, b.column ?? 0, right.offset)
        }.map { entry in
            var finding = entry.element
            finding.file = file
            return finding
        }
        return error
    }
}
