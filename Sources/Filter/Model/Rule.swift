// SPDX-License-Identifier: Apache-2.0
import XDP

/// One rule: what it does, and to which packets.
public struct Rule: Sendable, Hashable {
    public var action: Action
    public var match: Match
    /// The name of a counter that this rule counts in, with all others that name it; nil: one of its own.
    public var counter: String?
    public var comment: String?
    public var place: SourcePlace

    public init(
        _ action: Action, _ match: Match = .always, counter: String? = nil, comment: String? = nil,
        place: SourcePlace = .none
    ) {
        self.action = action
        self.match = match
        self.counter = counter
        self.comment = comment
        self.place = place
    }
}

/// What a rule does to a packet that it matches.
public enum Action: Sendable, Hashable {
    /// Decides: `drop`, `pass`, `aborted` or `tx` (never `redirect`).
    case decide(Verdict)
    /// Decides: out of another interface.
    case redirect(interface: String)
    /// Meets the rules of a group; if none of them decides, the next rule.
    case jump(group: String)
    /// Packets beyond the limit get its verdict; those within go on to the next rule.
    case limit(Limit)
    /// Reports the packet, and goes on to the next rule.
    case log(LogSettings)
    /// Only counts, and goes on to the next rule.
    case count
}

/// A token bucket.
///
/// It is kept as a time (GCRA): a packet within the limit moves the time at which the bucket is full again
/// on by what it costs; one that would move it further than ``burst`` costs ahead of now is beyond the limit
/// and moves nothing. A fresh bucket is full.
public struct Limit: Sendable, Hashable {
    /// What has a bucket of its own.
    public enum Scope: Sendable, Hashable {
        case rule
        /// Each source (destination) network: the address with its bits beyond these cut off. Packets without an
        /// IP header share one bucket.
        case source(bits4: UInt8, bits6: UInt8)
        case destination(bits4: UInt8, bits6: UInt8)
    }

    public var rate: Rate
    public var scope: Scope
    /// Packets, or bytes, as the rate's unit says; at least 1.
    public var burst: UInt64
    /// What packets beyond the limit get: `drop`, `aborted` or `pass`.
    public var excess: Verdict

    /// The packets that may come at once where nothing is said.
    public static let standardBurst: UInt64 = 5
    /// The bytes that may come at once where nothing is said.
    public static let standardByteBurst: UInt64 = 65_536

    public init(rate: Rate, scope: Scope = .rule, burst: UInt64, excess: Verdict = .drop) {
        self.rate = rate
        self.scope = scope
        self.burst = burst
        self.excess = excess
    }
}

/// So many in so long.
public struct Rate: Sendable, Hashable {
    public enum Unit: String, Sendable, Hashable, CaseIterable {
        case packets, bytes
    }

    public enum Period: String, Sendable, Hashable, CaseIterable {
        case second, minute, hour, day

        public var nanoseconds: UInt64 {
            switch self {
            case .second: 1_000_000_000
            case .minute: 60_000_000_000
            case .hour: 3_600_000_000_000
            case .day: 86_400_000_000_000
            }
        }
    }

    /// At least 1.
    public var amount: UInt64
    public var unit: Unit
    public var period: Period

    public init(_ amount: UInt64, _ unit: Unit = .packets, per period: Period) {
        self.amount = amount
        self.unit = unit
        self.period = period
    }
}

/// How packets are reported.
public struct LogSettings: Sendable, Hashable {
    /// At most so many reports (packets, over all CPUs); what is beyond is not reported but counted by the rule.
    public var atMost: Rate
    /// One of so many packets, chosen at random; 1: all.
    public var sample: UInt32
    /// What the report begins with.
    public var prefix: String
    /// Bytes of the packet that are reported with it, from the first.
    public var snapLength: UInt16

    /// So that a flood does not become a flood of reports.
    public static let standardRate = Rate(100, per: .second)
    public static let standardSnapLength: UInt16 = 128

    public init(
        atMost: Rate = LogSettings.standardRate, sample: UInt32 = 1, prefix: String = "",
        snapLength: UInt16 = LogSettings.standardSnapLength
    ) {
        self.atMost = atMost
        self.sample = sample
        self.prefix = prefix
        self.snapLength = snapLength
    }
}
