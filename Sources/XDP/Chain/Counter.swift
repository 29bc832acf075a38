// SPDX-License-Identifier: Apache-2.0

/// Packets and bytes that met a verdict.
public struct Counter: Sendable, Hashable, Codable {
    public var packets: UInt64
    /// Bytes from the Ethernet header to the end of the packet; 0 where only packets are counted.
    public var bytes: UInt64

    public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
    }

    /// Sums and differences wrap, as the kernel's counters do.
    static func &+ (left: Counter, right: Counter) -> Counter {
        Counter(packets: left.packets &+ right.packets, bytes: left.bytes &+ right.bytes)
    }

    static func &- (left: Counter, right: Counter) -> Counter {
        Counter(packets: left.packets &- right.packets, bytes: left.bytes &- right.bytes)
    }
}

/// The counters of one member: one for each verdict, and one for codes that are no verdict.
public struct MemberCounters: Sendable, Hashable {
    /// By `Verdict.rawValue`; the last one counts every other code.
    public var values: [Counter]

    /// Verdicts, and one place for everything else.
    static let count = Verdict.allCases.count + 1

    public init() {
        values = Array(repeating: Counter(), count: Self.count)
    }

    public subscript(verdict: Verdict) -> Counter { values[Int(verdict.rawValue)] }

    /// What came with a code that is no verdict; the kernel drops such packets.
    public var unknown: Counter { values[Self.count - 1] }

    /// All together.
    public var total: Counter { values.reduce(Counter(), &+) }
}
