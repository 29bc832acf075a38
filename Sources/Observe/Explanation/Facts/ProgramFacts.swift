// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// What runs on the hook of an interface, and what it counted while it was watched.
public struct ProgramFacts: Sendable {
    /// A rule of a filter, or its policy.
    public struct Rule: Sendable, Hashable {
        /// "rule 3", "rule 2 of group web", "the default".
        public var name: String
        /// As it is written: "drop udp dport 53".
        public var text: String
        /// What it decides; nil for one that lets packets go on.
        public var verdict: Verdict?
        /// How often it was met; nil where it does not count.
        public var packets: UInt64?
        /// Whether it asks for a VLAN tag.
        public var asksForVLAN: Bool

        public init(
            name: String, text: String, verdict: Verdict?, packets: UInt64? = nil, asksForVLAN: Bool = false
        ) {
            self.name = name
            self.text = text
            self.verdict = verdict
            self.packets = packets
            self.asksForVLAN = asksForVLAN
        }
    }

    /// A member of the chain; a foreign program is one, too.
    public struct Member: Sendable {
        public var name: String
        /// What it can do.
        public var code: RunningChecks.Member
        /// Packets by verdict that it gave in that time; nil where they are not counted.
        public var packets: [Verdict: UInt64]?
        /// Packets with a code that is no verdict.
        public var unknown: UInt64
        /// Packets that were to go to it and had used up their tail calls; counted also where verdicts are not.
        public var missed: UInt64
        /// Where it is a filter.
        public var rules: [Rule]
        /// Whether somebody else loaded it: it may be a member for the time of an observation only.
        public var isAdopted = false

        public init(
            name: String, code: RunningChecks.Member, packets: [Verdict: UInt64]? = nil, unknown: UInt64 = 0,
            missed: UInt64 = 0, rules: [Rule] = []
        ) {
            self.name = name
            self.code = code
            self.packets = packets
            self.unknown = unknown
            self.missed = missed
            self.rules = rules
        }

        /// Packets for which a verdict of it was the last word; 0 where that is not counted.
        public func ended(_ verdict: Verdict) -> UInt64 {
            code.ends.contains(verdict) ? packets?[verdict] ?? 0 : 0
        }

        /// Packets that came to it; nil where they are not counted.
        public var total: UInt64? { packets.map { $0.values.reduce(unknown + missed, +) } }
    }

    /// Of the program that is attached, the highest, and of those that were in that time.
    public var programIDs: Set<UInt32>
    public var mode: AttachMode
    /// Whether it is a chain of ours.
    public var isChain: Bool
    /// Whether generic mode was taken because there was no other.
    public var fellBack: Bool
    /// Of a chain: whether it takes packets of several buffers.
    public var supportsFrags: Bool?
    /// What packets get that have used up their tail calls.
    public var fallback: Verdict
    /// Whether the chain was changed while it was watched, so that differences of its counters mean little.
    public var hasChanged: Bool
    public var members: [Member]
    /// What the checks of a change say of what runs.
    public var checks: [CheckFinding]

    public init(
        programIDs: Set<UInt32>, mode: AttachMode, isChain: Bool, fellBack: Bool = false,
        supportsFrags: Bool? = nil, fallback: Verdict = .aborted, hasChanged: Bool = false,
        members: [Member] = [], checks: [CheckFinding] = []
    ) {
        self.programIDs = programIDs
        self.mode = mode
        self.isChain = isChain
        self.fellBack = fellBack
        self.supportsFrags = supportsFrags
        self.fallback = fallback
        self.hasChanged = hasChanged
        self.members = members
        self.checks = checks
    }

    /// Whether there are counts of what its members said.
    public var isCounted: Bool { members.first?.packets != nil }

    /// Packets for which a verdict was the last word; nil where that is not counted.
    public func ended(_ verdict: Verdict) -> UInt64? {
        guard isCounted else { return nil }
        return members.reduce(0) { $0 + $1.ended(verdict) }
    }

    /// Of a chain its name is that of its members.
    public var name: String {
        isChain ? "the chain" : "program \(members.first?.name ?? "") (id \(programIDs.max() ?? 0))"
    }
}
