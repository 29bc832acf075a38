// SPDX-License-Identifier: Apache-2.0

/// Something that may be the reason why packets do not get where they should, and how to tell.
///
/// Adding one is adding a value to ``all``; it asks nothing of anybody and looks at ``ExplanationFacts`` alone.
public struct Hypothesis: Sendable {
    /// A stable name for scripts, in small letters and hyphens: "member-drops".
    public let name: String
    /// What is asked, for people: "Does a member drop packets?".
    public let question: String
    /// What the facts say to it.
    public let judge: @Sendable (ExplanationFacts) -> Conclusion

    public init(
        _ name: String, _ question: String, judge: @escaping @Sendable (ExplanationFacts) -> Conclusion
    ) {
        self.name = name
        self.question = question
        self.judge = judge
    }

    /// In the order in which they are asked, along the way of a packet.
    public static let all: [Hypothesis] = [
        .noLink, .noPackets, .ringFull, .tooLong,
        .genericMode, .driverFeature, .joinedPackets, .hiddenTags,
        .aborted, .unknownVerdict, .memberDrops, .tailCalls,
        .noEntry, .redirectTarget, .redirectSize, .redirectQueue, .socket, .transmit, .checksum,
        .processor, .otherProgram, .attachFailed, .stackDrops,
    ]
}

/// What facts say to a hypothesis.
public enum Conclusion: Sendable, Hashable {
    /// It is so, in one or more ways.
    case applies([ExplanationFinding])
    /// It is not, and why that is known.
    case ruledOut(String)
    /// It cannot be told, and why.
    case unknown(String)

    /// Where there are findings it applies; else the reason why not.
    static func applies(_ findings: [ExplanationFinding], else reason: String) -> Conclusion {
        findings.isEmpty ? .ruledOut(reason) : .applies(findings)
    }
}

/// One thing that happens to packets: what, why that is believed, and what to do.
public struct ExplanationFinding: Sendable, Hashable {
    public enum Effect: String, Sendable, Hashable, Codable, CaseIterable {
        /// Packets do not arrive.
        case loss
        /// Packets arrive, at a price.
        case cost
        /// Nothing was seen of it, but it may happen.
        case risk
    }

    /// The name of the ``Hypothesis``.
    public var hypothesis: String
    public var effect: Effect
    /// Packets that it explains, in the time of watching; nil where they are not known.
    public var packets: UInt64?
    /// A sentence.
    public var what: String
    /// What it was concluded from, one thing a line, with the numbers.
    public var evidence: [String]
    /// What to do, the best first; commands stand between backquotes.
    public var remedies: [String]

    public init(
        _ hypothesis: String, _ effect: Effect, packets: UInt64? = nil, _ what: String,
        evidence: [String] = [],
        remedies: [String] = []
    ) {
        self.hypothesis = hypothesis
        self.effect = effect
        self.packets = packets
        self.what = what
        self.evidence = evidence
        self.remedies = remedies
    }
}
