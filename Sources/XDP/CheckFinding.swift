// SPDX-License-Identifier: Apache-2.0

/// One thing that a check found on this machine: what it is, why it is believed, what follows, what to do.
public struct CheckFinding: Sendable, Hashable {
    /// How bad it is.
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
        /// As it should be.
        case fine
        /// Good to know.
        case note
        /// It works, but slower, less safely or not always.
        case warning
        /// It does not work, or packets are lost without a trace: a change is refused.
        case error

        public static func < (left: Severity, right: Severity) -> Bool {
            let order = Severity.allCases
            return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
        }
    }

    /// A stable name for scripts, in small letters and hyphens: "redirect-target".
    public var rule: String
    public var severity: Severity
    /// What it is about: an interface, a member, a setting.
    public var subject: String
    /// What was found, as a sentence.
    public var what: String
    /// What it was concluded from, one thing a line: a source line, an attribute, a file and its content.
    public var evidence: [String]
    /// What happens if nothing is done about it.
    public var consequence: String?
    /// What to do, a command where there is one.
    public var remedy: String?

    public init(
        _ rule: String, _ severity: Severity, of subject: String, _ what: String, evidence: [String] = [],
        consequence: String? = nil, remedy: String? = nil
    ) {
        self.rule = rule
        self.severity = severity
        self.subject = subject
        self.what = what
        self.evidence = evidence
        self.consequence = consequence
        self.remedy = remedy
    }
}
