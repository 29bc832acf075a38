// SPDX-License-Identifier: Apache-2.0

/// What the code of a member does that is hardly meant, wherever it runs.
enum CodeRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        subject.members.flatMap { member in [codes(member)].compactMap(\.self) + tailCalls(member) }
    }

    private static func codes(_ member: PreflightSubject.Member) -> PreflightFinding? {
        // A number that is computed is likely to be meant, whatever the instructions allow.
        let computed = Set(member.analysis.undecided + member.analysis.verdicts.values.joined())
        let places = member.analysis.otherCodes.filter { !computed.contains($0) }
        guard !places.isEmpty else { return nil }
        return PreflightFinding(
            "no-verdict", .warning, of: member.name,
            "\(places.location(in: member.name)) may return a number that is no verdict",
            evidence: places.evidence(in: member.name),
            consequence: "the kernel drops such packets as aborted, and no later member sees them",
            remedy: "Have it return one of XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX and XDP_REDIRECT")
    }

    private static func tailCalls(_ member: PreflightSubject.Member) -> [PreflightFinding] {
        var seen: Set<Int> = []
        return member.analysis.tailCalls.compactMap { call in
            guard let place = call.map, let map = member.maps[place], map.type == .programArray,
                map.content.isEmpty, seen.insert(place).inserted
            else { return nil }
            return PreflightFinding(
                "tail-call-empty", .note, of: member.name, about: map.name,
                "\(call.places.location(in: member.name)) does tail calls through \(map.name), which is empty",
                evidence: call.places.evidence(in: member.name),
                consequence: "until programs are put in, the member goes on behind the call",
                remedy: "Start what fills \(map.name), or pin it with --pin-maps and fill it")
        }
    }
}
