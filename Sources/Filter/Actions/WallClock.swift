// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A moment as people write it, from one of the clock that the kernel's programs read.
public struct WallClock: Sendable, Hashable {
    /// Since 1970, UTC.
    public let seconds: Int64
    /// Of the second.
    public let nanoseconds: Int32

    /// - Parameters:
    ///   - monotonic: nanoseconds of CLOCK_MONOTONIC.
    ///   - offset: what ``offset()`` said.
    public init(_ monotonic: UInt64, _ offset: Int64) {
        let (seconds, rest) = (Int64(clamping: monotonic) &+ offset).quotientAndRemainder(
            dividingBy: 1_000_000_000)
        self.seconds = rest < 0 ? seconds - 1 : seconds
        nanoseconds = Int32(rest < 0 ? rest + 1_000_000_000 : rest)
    }

    /// - Parameter nanoseconds: since 1970, UTC.
    public init(nanoseconds: UInt64) {
        self.init(nanoseconds, 0)
    }

    /// What has to be added to CLOCK_MONOTONIC now: the clock of people may be set meanwhile.
    public static func offset() -> Int64 {
        // Of a few tries the one that was interrupted for the shortest time.
        var best = (gap: Int64.max, offset: Int64(0))
        for _ in 0..<3 {
            let before = read(CLOCK_MONOTONIC)
            let wall = read(CLOCK_REALTIME)
            let after = read(CLOCK_MONOTONIC)
            if after - before < best.gap { best = (after - before, wall - (before + (after - before) / 2)) }
        }
        return best.offset
    }

    /// This moment.
    public static func now() -> WallClock {
        WallClock(UInt64(clamping: read(CLOCK_MONOTONIC)), offset())
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// `2026-11-23T01:02:03.123456789Z`.
    public var utc: String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        return "\(parts.tm_year + 1900)-\(Self.two(parts.tm_mon + 1))-\(Self.two(parts.tm_mday))"
            + "T\(Self.clock(parts)).\(Self.digits(Int(nanoseconds), 9))Z"
    }

    /// `01:02:03.123456` where the machine is.
    public var local: String {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        return "\(Self.clock(parts)).\(Self.digits(Int(nanoseconds) / 1000, 6))"
    }

    /// `2026-11-23` where the machine is.
    public var localDay: String {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        return "\(parts.tm_year + 1900)-\(Self.two(parts.tm_mon + 1))-\(Self.two(parts.tm_mday))"
    }

    private static func clock(_ parts: tm) -> String {
        "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    private static func two(_ number: Int32) -> String { digits(Int(number), 2) }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(count - text.count, 0)) + text
    }
}
