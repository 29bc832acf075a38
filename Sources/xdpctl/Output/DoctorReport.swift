// SPDX-License-Identifier: Apache-2.0
import Doctor
import XDP

/// What `doctor` prints. Documentation/json.md describes the fields.
struct DoctorReport: Encodable {
    /// How many findings there are of each severity.
    struct Counts: Encodable {
        let error: Int
        let warning: Int
        let note: Int
        let fine: Int
    }

    /// One finding.
    struct FindingReport: Encodable {
        let group: String
        let rule: String
        let severity: String
        let subject: String
        let what: String
        let evidence: [String]
        let consequence: String?
        let remedy: String?
    }

    let format = 1
    let profile: String
    let kernel: String
    let counts: Counts
    /// Without those that are fine, unless they were asked for.
    let findings: [FindingReport]

    init(_ examination: Examination, withFine: Bool) {
        profile = examination.profile.rawValue
        kernel = examination.kernel
        counts = Counts(
            error: examination.count(.error), warning: examination.count(.warning),
            note: examination.count(.note), fine: examination.count(.fine))
        findings = examination.findings.filter { withFine || $0.finding.severity != .fine }.map { entry in
            FindingReport(
                group: entry.group.rawValue, rule: entry.finding.rule,
                severity: entry.finding.severity.rawValue, subject: entry.finding.subject,
                what: entry.finding.what, evidence: entry.finding.evidence,
                consequence: entry.finding.consequence, remedy: entry.finding.remedy)
        }
    }
}
