// SPDX-License-Identifier: Apache-2.0

/// The numbers with which the kernel keeps a ``Rate``: a clock, and what a packet or byte costs on it.
///
/// A bucket is the time at which it is full again (see ``Limit``), modulo 2^64, on a clock that runs ``multiplier``
/// times as fast as nanoseconds. Where that can be done a packet costs a whole number of ticks and nothing is
/// ever rounded: `7/second` has 7 ticks a nanosecond, and a packet costs 10^9 of them. Where it would take too
/// fast a clock (`12345679/second`), the clock is a power of two, and the cost of a packet or byte has ``fraction``
/// bits behind the point; a packet's cost is cut off to whole ticks. What is let through then differs from
/// the rate by less than 1 part in 1000, of frames of 64 bytes up to 1 Tbit/s.
struct RateClock: Sendable, Hashable {
    /// Ticks a nanosecond.
    let multiplier: UInt16
    /// What a packet or byte costs, in ticks shifted by ``fraction``.
    let cost: UInt64
    let fraction: UInt8
    /// How far ahead of now a bucket may be: what the burst costs, in ticks.
    let window: UInt64

    /// With a faster clock buckets that nobody touched for 26 days could be taken for new ones.
    static let fastest: UInt64 = 8192
    /// So that 65,535 times the cost fits into 64 bits.
    private static let costLimit = UInt128(1) << 47
    /// The longest burst: so that a time ahead of now is told from one that is past.
    private static let windowLimit = UInt128(1) << 62

    /// Another CPU's clock can be ahead of this one's a little; its bucket is not full for that reason.
    private static let margin: UInt64 = 1 << 30

    /// - Parameter burst: packets or bytes, as the rate's unit says.
    init(_ rate: Rate, burst: UInt64) {
        let amount = max(rate.amount, 1)
        let period = rate.period.nanoseconds
        let divisor = Self.greatestDivisor(amount, period)
        let exact = (multiplier: amount / divisor, cost: period / divisor)
        if exact.multiplier <= Self.fastest, UInt128(burst) * UInt128(exact.cost) < Self.windowLimit {
            multiplier = UInt16(exact.multiplier)
            cost = exact.cost
            fraction = 0
            window = burst * exact.cost
            return
        }
        // The fastest clock on which the burst can be told; on the slowest one 146 years are as good as any.
        let whole = UInt128(burst) * UInt128(period) / UInt128(amount)
        let shift = (0...13).last { whole << UInt128($0) < Self.windowLimit } ?? 0
        func shifted(_ bits: Int) -> UInt128 {
            ((UInt128(period) << UInt128(bits)) + UInt128(amount / 2)) / UInt128(amount)
        }
        let bits = (0...32).last { shifted(shift + $0) < Self.costLimit } ?? 0
        multiplier = 1 << UInt16(shift)
        cost = max(UInt64(shifted(shift + bits)), 1)
        fraction = UInt8(bits)
        window = UInt64(min(UInt128(burst) * UInt128(cost) >> UInt128(bits), Self.windowLimit - 1))
    }

    /// A bucket that seems to be further ahead than this is past and so full.
    var horizon: UInt64 { window + UInt64(multiplier) * Self.margin }

    private static func greatestDivisor(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var (first, second) = (first, second)
        while second != 0 { (first, second) = (second, first % second) }
        return first
    }

    /// What the kernel's code does, for one bucket.
    ///
    /// - Parameters:
    ///   - bucket: nil: a fresh one; changed only if the packet is within the limit.
    ///   - quantity: the packet's bytes, or 1 for limits of packets.
    func admits(_ quantity: UInt64, to bucket: inout UInt64?, at nanoseconds: UInt64) -> Bool {
        let now = nanoseconds &* UInt64(multiplier)
        var ahead = bucket.map { $0 &- now } ?? 0
        if ahead > horizon { ahead = 0 }
        ahead &+= (min(quantity, 65_535) &* cost) >> UInt64(fraction)
        guard ahead <= window else { return false }
        bucket = now &+ ahead
        return true
    }
}
