// SPDX-License-Identifier: Apache-2.0
import XDP

/// What was seen of packets that were captured as evidence.
public struct SampleFacts: Sendable, Hashable {
    /// Packets of one member and verdict, at the end of the chain; of the start where there is no member.
    public struct Group: Sendable, Hashable {
        public var member: String
        /// nil at the start of the chain.
        public var verdict: Verdict?
        public var packets = 0
        /// The first ones, a line each: "udp 10.0.0.2:53 > 10.0.0.1:999 len 60".
        public var examples: [String] = []
        /// Bytes of the longest one.
        public var longest = 0
        /// Packets with a VLAN tag in the frame.
        public var tagged = 0
        /// Packets of which the checksum of TCP or UDP could be computed, and those of which it was wrong.
        public var checked = 0
        public var wrong = 0

        public init(member: String, verdict: Verdict?) {
            self.member = member
            self.verdict = verdict
        }
    }

    public var groups: [Group]

    public init(groups: [Group] = []) { self.groups = groups }

    /// Packets that met a verdict as the last word, of one member or all.
    public func groups(of verdict: Verdict, member: String? = nil) -> [Group] {
        groups.filter { $0.verdict == verdict && (member == nil || $0.member == member) }
    }
}
