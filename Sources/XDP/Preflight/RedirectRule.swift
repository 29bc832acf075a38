// SPDX-License-Identifier: Apache-2.0

/// `redirect` without a target, or by a driver that cannot redirect.
enum RedirectRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        let mayRedirect =
            subject.othersRedirect
            || subject.members.contains { member in
                let analysis = member.analysis
                return !analysis.redirects.isEmpty || !analysis.unknownCalls.isEmpty
                    || !analysis.tailCalls.isEmpty
            }
        return subject.members.flatMap { member in
            let places = member.places(ending: .redirect)
            guard !places.isEmpty else { return [PreflightFinding]() }
            return [mayRedirect ? nil : withoutTarget(member, places), unable(subject, member, places)]
                .compactMap(\.self)
        }
    }

    private static func withoutTarget(
        _ member: PreflightSubject.Member, _ places: [ProgramAnalysis.Place]
    ) -> PreflightFinding? {
        guard member.certainlyEnds(in: .redirect) else { return nil }
        return PreflightFinding(
            "redirect-nowhere", .error, of: member.name,
            "\(places.location(in: member.name)) answers redirect, and nothing in the chain says where to",
            evidence: places.evidence(in: member.name) + [
                "no bpf_redirect and no bpf_redirect_map is called"
            ],
            consequence: "packets answered redirect are dropped (EBADRQC)",
            remedy: "Have the program call bpf_redirect or bpf_redirect_map and return what that gives")
    }

    private static func unable(
        _ subject: PreflightSubject, _ member: PreflightSubject.Member, _ places: [ProgramAnalysis.Place]
    ) -> PreflightFinding? {
        guard subject.mode == .native, subject.hook.support(.redirect) == .unsupported,
            subject.hook.support(.basic) == .supported
        else { return nil }
        let name = subject.hook.features?.driver?.name ?? subject.hook.kind ?? "the driver"
        return PreflightFinding(
            "redirect", member.certainlyEnds(in: .redirect) ? .error : .warning, of: member.name,
            "\(places.location(in: member.name)) redirects, and \(name) cannot redirect from \(subject.hook.name)",
            evidence: places.evidence(in: member.name) + ["\(subject.hook.name) has no redirect"],
            consequence: "packets answered redirect are dropped",
            remedy: "Use --mode generic, where every interface can, or another card")
    }
}
