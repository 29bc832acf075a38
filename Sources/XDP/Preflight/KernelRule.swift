// SPDX-License-Identifier: Apache-2.0

/// Helpers that this kernel does not have.
enum KernelRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        subject.members.flatMap { member in
            member.analysis.helpers.compactMap { helper -> PreflightFinding? in
                guard subject.helpers[helper.id] == .unsupported else { return nil }
                let name = subject.helperNames[helper.id] ?? "helper \(helper.id)"
                return PreflightFinding(
                    "helper", .error, of: member.name, about: "\(helper.id)",
                    "\(helper.places.location(in: member.name)) calls \(name), which this kernel does not have",
                    evidence: helper.places.evidence(in: member.name),
                    consequence: "the verifier rejects the program",
                    remedy: "Use a newer kernel, or build the program without it")
            }
        }
    }
}
