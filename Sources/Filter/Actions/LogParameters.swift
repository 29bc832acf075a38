// SPDX-License-Identifier: Apache-2.0

/// What the tables hold of ``LogSettings``: the parameters of a rule's ``RuleRecord``.
///
/// The first 28 bytes are those of ``LimitParameters``, for a limit of the rule's reports whose burst is the rate's
/// amount: `at most 5/second` lets five come at once, and then one each 200 ms.
///
/// | Offset | Size | Content |
/// |---|---|---|
/// | 28 | 4 | the largest random number of 32 bits with which a packet is reported |
/// | 32 | 4 | the bytes that are reported at most |
/// | 36 | 12 | zero |
///
/// Numbers are in host order.
public struct LogParameters: Sendable, Hashable {
    /// 48 bytes, for offset ``RuleRecord/parameters`` of the record.
    public let bytes: [UInt8]

    enum Offset {
        static let threshold = 28
        static let snapLength = 32
    }

    /// The threshold at which no random number is asked for.
    static let everyPacket = UInt32.max

    public init(_ settings: LogSettings) {
        let clock = RateClock(settings.atMost, burst: max(settings.atMost.amount, 1))
        let share = (UInt64(1) << 32) / UInt64(max(settings.sample, 1))
        bytes =
            clock.bytes(kind: 0) + RateClock.bytes(UInt32(max(share, 1) - 1))
            + RateClock.bytes(UInt32(min(settings.snapLength, LogCode.longestSnapLength)))
            + [UInt8](repeating: 0, count: 12)
    }
}
