// SPDX-License-Identifier: Apache-2.0
import XDP

/// What the rules of one group found so far.
struct Findings {
    let group: CheckGroup
    let profile: Profile
    private(set) var all: [DoctorFinding] = []

    init(_ group: CheckGroup, for profile: Profile) {
        self.group = group
        self.profile = profile
    }

    /// A rule applies.
    mutating func add(
        _ rule: Rule, of subject: String, _ what: String, evidence: [String], consequence: String? = nil,
        remedy: String? = nil, repair: Repair? = nil
    ) {
        let finding = CheckFinding(
            rule.rawValue, rule.severity(for: profile), of: subject, what, evidence: evidence,
            consequence: consequence, remedy: remedy)
        all.append(DoctorFinding(group: group, finding, repair: repair))
    }

    /// It is as it should be.
    mutating func fine(_ rule: Rule, of subject: String, _ what: String, evidence: [String] = []) {
        all.append(
            DoctorFinding(
                group: group, CheckFinding(rule.rawValue, .fine, of: subject, what, evidence: evidence)))
    }

    /// It could not be found out, which is a note in every profile.
    mutating func unknown(
        _ rule: Rule, of subject: String, because reasons: String..., remedy: String? = nil
    ) {
        unknown(rule, of: subject, because: reasons, remedy: remedy)
    }

    mutating func unknown(
        _ rule: Rule, of subject: String, because reasons: [String], remedy: String? = nil
    ) {
        all.append(
            DoctorFinding(
                group: group,
                CheckFinding(
                    rule.rawValue, .note, of: subject, "it is unknown",
                    evidence: reasons, remedy: remedy)))
    }

    /// What somebody else found.
    mutating func take(_ finding: CheckFinding, repair: Repair? = nil) {
        all.append(DoctorFinding(group: group, finding, repair: repair))
    }
}
