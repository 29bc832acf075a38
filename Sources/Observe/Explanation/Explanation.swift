// SPDX-License-Identifier: Apache-2.0

/// Where the packets of an interface go, and why: the hypotheses, judged by the facts.
public struct Explanation: Sendable {
    /// A hypothesis that is not so, or cannot be told.
    public struct Open: Sendable, Hashable {
        public var hypothesis: String
        public var question: String
        public var reason: String
    }

    public let interface: String
    public let seconds: Double
    public let ledger: PacketLedger
    /// What explains most packets first; then losses before costs before risks, in the order of the table.
    public let findings: [ExplanationFinding]
    public let ruledOut: [Open]
    public let unknown: [Open]
    /// What the user should know of how it was watched.
    public let notes: [String]

    public init(_ facts: ExplanationFacts, hypotheses: [Hypothesis] = Hypothesis.all) {
        interface = facts.interface
        seconds = facts.seconds
        notes = facts.notes
        var findings: [ExplanationFinding] = []
        var ruledOut: [Open] = []
        var unknown: [Open] = []
        for hypothesis in hypotheses {
            func open(_ reason: String) -> Open {
                Open(hypothesis: hypothesis.name, question: hypothesis.question, reason: reason)
            }
            switch hypothesis.judge(facts) {
            case .applies(let found): findings += found
            case .ruledOut(let reason): ruledOut.append(open(reason))
            case .unknown(let reason): unknown.append(open(reason))
            }
        }
        self.findings = findings.enumerated().sorted { left, right in
            Self.rank(left.element, left.offset) < Self.rank(right.element, right.offset)
        }.map(\.element)
        var ledger = PacketLedger(facts)
        ledger.explain(.notRedirected, by: self.findings.first { $0.hypothesis.hasPrefix("redirect-") })
        ledger.explain(.notSentBack, by: self.findings.first { $0.hypothesis == Hypothesis.transmit.name })
        self.ledger = ledger
        self.ruledOut = ruledOut
        self.unknown = unknown
    }

    /// Losses by their packets. What loses packets nobody can count stands before them: a link that is down is all there is
    /// to say.
    private static func rank(_ finding: ExplanationFinding, _ place: Int) -> (Int, UInt64, Int) {
        let effect = ExplanationFinding.Effect.allCases.firstIndex(of: finding.effect) ?? 0
        return (effect, UInt64.max - (finding.packets ?? UInt64.max), place)
    }

    /// Whether there is nothing to be said.
    public var isHealthy: Bool { findings.isEmpty }
}
