// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Filter

@Suite("The clock of a limit")
struct RateClockTests {
    /// In units of a nanosecond divided by the amount nothing is ever rounded.
    private struct ExactBucket {
        var full: UInt128 = 0

        mutating func admits(_ quantity: UInt64, _ limit: Limit, at nanoseconds: UInt64) -> Bool {
            let now = UInt128(nanoseconds) * UInt128(limit.rate.amount)
            let period = UInt128(limit.rate.period.nanoseconds)
            let next = max(full, now) + UInt128(quantity) * period
            guard next - now <= UInt128(limit.burst) * period else { return false }
            full = next
            return true
        }
    }

    private static let exact: [Limit] = [
        Limit(rate: Rate(10, per: .second), burst: 20),
        Limit(rate: Rate(7, per: .second), burst: 5),
        Limit(rate: Rate(1, per: .day), burst: 1),
        Limit(rate: Rate(1, .bytes, per: .day), burst: 20_000),
        Limit(rate: Rate(1000, per: .hour), burst: 3),
        Limit(rate: Rate(1_000_000, per: .second), burst: 64),
        Limit(rate: Rate(125_000_000_000, .bytes, per: .second), burst: 65_536),
        Limit(rate: Rate(8191, per: .minute), burst: 100),
        Limit(rate: Rate(1_250_000, .bytes, per: .second), burst: 65_536),
    ]

    @Test("rates of people are exact: every packet gets the answer of whole numbers", arguments: exact)
    func exactRates(limit: Limit) {
        let clock = RateClock(limit.rate, burst: limit.burst)
        var random = SeededGenerator(seed: 5)
        var bucket: UInt64?
        var expected = ExactBucket()
        var now: UInt64 = 1_000_000_000_000_000
        let step = max(limit.rate.period.nanoseconds / limit.rate.amount, 4)
        var admitted = 0

        for _ in 0..<4000 {
            let bytes = UInt64.random(in: 14...1514, using: &random)
            let quantity = limit.rate.unit == .bytes ? bytes : 1
            now += UInt64.random(
                in: 0...min(step * min(quantity, 700), 4_000_000_000_000_000), using: &random)
            let isWithin = clock.admits(quantity, to: &bucket, at: now)
            #expect(isWithin == expected.admits(quantity, limit, at: now))
            admitted += isWithin ? 1 : 0
        }

        #expect(clock.fraction == 0)
        #expect(admitted > 0)
    }

    @Test(
        "rates that no clock has exactly are off by less than 1 in 1000",
        arguments: [
            Rate(12_345_679, per: .second), Rate(999_999_937, per: .second),
            Rate(123_456_789_011, .bytes, per: .second), Rate(9_999_991, per: .minute),
        ])
    func roundedRates(rate: Rate) {
        let clock = RateClock(rate, burst: 1000)
        let quantity: UInt64 = rate.unit == .bytes ? 64 : 1

        let ticks = Double((quantity * clock.cost) >> UInt64(clock.fraction))

        let nanoseconds = ticks / Double(clock.multiplier)
        let expected = Double(quantity) * Double(rate.period.nanoseconds) / Double(rate.amount)
        #expect(abs(nanoseconds / expected - 1) < 0.001)
    }

    @Test("of a fresh bucket exactly the burst comes through at once")
    func burst() {
        for burst: UInt64 in [1, 5, 1000] {
            let clock = RateClock(Rate(12_345_679, per: .second), burst: burst)
            var bucket: UInt64?
            let admitted = (0..<2000).count { _ in clock.admits(1, to: &bucket, at: 77) }
            #expect(admitted == Int(burst))
        }
    }

    @Test("the largest numbers neither trap nor let everything through")
    func extremes() {
        for amount: UInt64 in [1, 3, 1_000_000_007, .max] {
            for burst: UInt64 in [1, 1 << 40, .max] {
                for period in Rate.Period.allCases {
                    let clock = RateClock(Rate(amount, .bytes, per: period), burst: burst)
                    var bucket: UInt64?
                    _ = clock.admits(.max, to: &bucket, at: .max)
                    #expect(clock.cost > 0)
                    #expect(clock.horizon > clock.window)
                }
            }
        }
    }

    @Test("a bucket that was full years ago is full")
    func idle() {
        let clock = RateClock(Rate(10, per: .second), burst: 2)
        let year: UInt64 = 365 * 86_400_000_000_000
        var bucket: UInt64?
        #expect(clock.admits(1, to: &bucket, at: 5))
        for age in [year, 10 * year, 50 * year] {
            var old = bucket
            #expect(clock.admits(1, to: &old, at: age))
            #expect(clock.admits(1, to: &old, at: age))
            #expect(!clock.admits(1, to: &old, at: age))
        }
    }

    @Test("a CPU whose clock is behind does not take an empty bucket for a full one")
    func clocksApart() {
        let clock = RateClock(Rate(10, per: .second), burst: 2)
        var bucket: UInt64?
        let now: UInt64 = 1_000_000_000_000
        #expect(clock.admits(1, to: &bucket, at: now))
        #expect(clock.admits(1, to: &bucket, at: now))
        #expect(!clock.admits(1, to: &bucket, at: now - 10_000))
    }

    @Test("parameters are 48 bytes, with the masks in network order")
    func parameters() {
        let limit = Limit(
            rate: Rate(10, .bytes, per: .second), scope: .destination(bits4: 20, bits6: 56), burst: 1000)
        let bytes = LimitParameters(limit).bytes

        #expect(bytes.count == RuleRecord.size - RuleRecord.parameters)
        #expect(bytes[27] == 2 | 128)
        #expect(Array(bytes[28..<32]) == [255, 255, 240, 0])
        #expect(Array(bytes[32..<48]) == [UInt8](repeating: 255, count: 7) + [UInt8](repeating: 0, count: 9))
        #expect(LogParameters(LogSettings()).bytes.count == 48)
    }
}
