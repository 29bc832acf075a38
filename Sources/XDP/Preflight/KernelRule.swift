// SPDX-License-Identifier: Apache-2.0

/// Helpers that this kernel does not have.
enum KernelRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        subject.members.flatMap { member in
            member.analysis.helpers.compactMap { helper -> PreflightFinding? in
                guard subject.helpers[helper.id] == .unsupported else { return nil }
                if helper.id == HelperTable.relocationWithoutTarget {
                    return PreflightFinding(
                        "relocation", .error, of: member.name, about: "field",
                        "\(helper.places.location(in: member.name)) needs a field or type that this kernel does not have",
                        evidence: helper.places.evidence(in: member.name),
                        consequence: "the verifier rejects the program",
                        remedy: VerifierExplanation.missingFieldRemedy)
                }
                let since = HelperTable.entry(helper.id)?.since
                return PreflightFinding(
                    "helper", .error, of: member.name, about: "\(helper.id)",
                    "\(helper.places.location(in: member.name)) calls \(HelperTable.name(helper.id)), which this kernel does not have",
                    evidence: helper.places.evidence(in: member.name),
                    consequence: "the verifier rejects the program",
                    remedy:
                        "Use \(since.map { "Linux \($0) or newer" } ?? "a newer kernel"), or build the program "
                        + "without it")
            }
        }
    }
}
