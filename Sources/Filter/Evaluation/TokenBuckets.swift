// SPDX-License-Identifier: Apache-2.0

/// The token buckets of a rule's ``Limit``.
///
/// Each is the time at which it is full again, in units of a nanosecond divided by the rate's amount: then what a
/// packet costs is a whole number, and nothing is rounded.
struct TokenBuckets: Sendable {
    private var full: [IPPrefix?: UInt128] = [:]

    /// Whether a packet is within the limit; if so, it is paid for.
    mutating func admit(_ packet: PacketFields, to limit: Limit, at nanoseconds: UInt64) -> Bool {
        let units: UInt128 = limit.rate.unit == .bytes ? UInt128(packet.numbers[.length] ?? 0) : 1
        let period = UInt128(limit.rate.period.nanoseconds)
        let now = UInt128(nanoseconds) * UInt128(limit.rate.amount)
        let bucket = Self.bucket(of: packet, limit.scope)
        let (next, isTooFar) = max(full[bucket] ?? 0, now).addingReportingOverflow(units * period)
        guard !isTooFar, next - now <= UInt128(limit.burst) * period else { return false }
        full[bucket] = next
        return true
    }

    /// What tells the bucket of a packet from others of the rule.
    private static func bucket(of packet: PacketFields, _ scope: Limit.Scope) -> IPPrefix? {
        switch scope {
        case .rule: nil
        case .source(let bits4, let bits6):
            packet.source.flatMap { IPPrefix($0, length: Int($0.isIPv6 ? bits6 : bits4)) }
        case .destination(let bits4, let bits6):
            packet.destination.flatMap { IPPrefix($0, length: Int($0.isIPv6 ? bits6 : bits4)) }
        }
    }
}
