// SPDX-License-Identifier: Apache-2.0

/// A finding, and what makes it the same as one of the chain before.
struct PreflightFinding: Hashable {
    var finding: CheckFinding
    /// What it is about, however it is worded: the interface of a redirect, the map. With the rule and the
    /// subject that makes it one finding before and after a change.
    var object: String

    init(
        _ rule: String, _ severity: CheckFinding.Severity, of subject: String, about object: String = "",
        _ what: String, evidence: [String] = [], consequence: String? = nil, remedy: String? = nil
    ) {
        finding = CheckFinding(
            rule, severity, of: subject, what, evidence: evidence, consequence: consequence, remedy: remedy)
        self.object = object
    }

    var identity: [String] { [finding.rule, finding.subject, object] }
}

/// Compares what programs do with what an interface and the kernel give.
protocol PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding]
}

/// All rules.
enum Preflight {
    static var rules: [any PreflightRule.Type] {
        [
            ModeRule.self, RedirectRule.self, RedirectTargetRule.self, RedirectMapRule.self,
            TransmitRule.self, MetadataRule.self, SizeRule.self, KernelRule.self, CodeRule.self,
        ]
    }

    /// The worst first.
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        rules.flatMap { $0.findings(subject) }.enumerated().sorted { left, right in
            let (a, b) = (left.element.finding.severity, right.element.finding.severity)
            return a != b ? a > b : left.offset < right.offset
        }.map(\.element)
    }

    /// What a change brings: what held before is no reason to refuse it.
    ///
    /// - Parameter before: the same members as far as they were there, as they were there; nil for none.
    static func findings(_ subject: PreflightSubject, since before: PreflightSubject?) -> [CheckFinding] {
        let now = findings(subject)
        guard let before, now.contains(where: { $0.finding.severity > .note }) else {
            return now.map(\.finding)
        }
        let known = Set(findings(before).map(\.identity))
        return now.map { found in
            var finding = found.finding
            if finding.severity > .note, known.contains(found.identity) {
                finding.severity = .note
                finding.what += "; so it was before this change"
            }
            return finding
        }
    }
}

extension ProgramAnalysis.Place {
    /// "ids.c:42", or the instruction where no line is known.
    func location(in member: String) -> String {
        guard let line else { return "instruction \(instruction) of \(member)" }
        let name = line.file.split(separator: "/").last.map(String.init) ?? line.file
        return "\(name):\(line.position >> 10)"
    }

    /// "ids.c:42: return XDP_TX;".
    func evidence(in member: String) -> String {
        guard let text = line?.text.drop(while: { $0 == " " || $0 == "\t" }), !text.isEmpty else {
            return location(in: member)
        }
        return "\(location(in: member)): \(text)"
    }
}

extension [ProgramAnalysis.Place] {
    /// One line each, the first ones.
    func evidence(in member: String) -> [String] {
        var lines: [String] = []
        for place in self {
            let line = place.evidence(in: member)
            if !lines.contains(line) { lines.append(line) }
        }
        return lines.count <= 3 ? lines : lines.prefix(3) + ["and in \(lines.count - 3) more places"]
    }

    /// "ids.c:42", or the member's name where nothing is known.
    func location(in member: String) -> String {
        first?.location(in: member) ?? member
    }
}

extension PreflightSubject.Member {
    /// Where it says a verdict that becomes the packet's; empty where it does not.
    func places(ending verdict: Verdict) -> [ProgramAnalysis.Place] {
        guard ends.contains(verdict) else { return [] }
        return analysis.verdicts[verdict] ?? []
    }

    /// Whether the program says a verdict itself, rather than compute a number that may be it: a place that
    /// decides for several verdicts decides for none.
    func certainlyEnds(in verdict: Verdict) -> Bool {
        var others = Set(analysis.undecided + analysis.otherCodes)
        for (other, places) in analysis.verdicts where other != verdict { others.formUnion(places) }
        return places(ending: verdict).contains { !others.contains($0) }
    }

    /// Redirects that can become the packet's.
    var redirects: [ProgramAnalysis.Redirect] {
        ends.contains(.redirect) ? analysis.redirects : []
    }
}
