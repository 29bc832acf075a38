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

/// The counters of one member: one for each verdict, one for codes that are no verdict, and one for packets
/// that could not be handed to it.
public struct MemberCounters: Sendable, Hashable {
    /// By `Verdict.rawValue`; then every other code, and packets that did not reach the member.
    public var values: [Counter]

    /// Verdicts, one place for everything else, and one for what was missed.
    static let count = Verdict.allCases.count + 2

    public init() {
        values = Array(repeating: Counter(), count: Self.count)
    }

    public subscript(verdict: Verdict) -> Counter { values[Int(verdict.rawValue)] }

    /// What came with a code that is no verdict; the kernel drops such packets.
    public var unknown: Counter { values[Self.count - 2] }

    /// Packets that were to go to the member and could not, because they had used up their tail calls; its
    /// bytes are not counted.
    public var missed: Counter { values[Self.count - 1] }

    /// All packets that the chain counted a verdict of the member for.
    public var total: Counter { values.dropLast().reduce(Counter(), &+) }
}
