// SPDX-License-Identifier: Apache-2.0
import XDP

/// How packets left a chain, over all its members.
public struct ChainOutcome: Sendable, Hashable {
    /// Packets that came to the first member.
    public var entered: UInt64 = 0
    /// By the verdict that they left with; codes that are no verdict are among the aborted.
    public var left: [Verdict: UInt64] = [:]

    /// nil where nothing is counted, or there are no members.
    public init?(_ sample: InterfaceSample) {
        guard let members = sample.members, let first = members.first else { return nil }
        entered = first.counters.total.packets
        if !first.isSeparate { entered &+= first.counters.missed.packets }
        for verdict in Verdict.allCases { left[verdict] = 0 }
        for member in members {
            for verdict in member.endings { add(member.counters[verdict].packets, verdict) }
            add(member.counters.unknown.packets, .aborted)
            // What a program of its own missed is counted with the verdict that it got.
            if !member.isSeparate { add(member.counters.missed.packets, sample.fallback) }
        }
    }

    private mutating func add(_ packets: UInt64, _ verdict: Verdict) {
        left[verdict, default: 0] &+= packets
    }

    /// All packets that left it.
    public var sum: UInt64 { left.values.reduce(0, &+) }

    public subscript(outcome: DriverProfile.Outcome) -> UInt64 {
        switch outcome {
        case .all: entered
        case .pass: left[.pass] ?? 0
        case .drop: left[.drop] ?? 0
        case .aborted: left[.aborted] ?? 0
        case .tx: left[.tx] ?? 0
        case .redirect: left[.redirect] ?? 0
        }
    }
}
