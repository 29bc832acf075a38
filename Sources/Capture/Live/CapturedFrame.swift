// SPDX-License-Identifier: Apache-2.0
import XDP

/// A packet as it was at a point, as a reader of a capture gets it. The bytes come beside it and are valid only until the
/// reader returns.
public struct CapturedFrame: Sendable, Hashable {
    public var record: CaptureRecord
    /// Nanoseconds since 1970, UTC.
    public var wallTime: UInt64
    public var point: TapPoint

    public init(record: CaptureRecord, wallTime: UInt64, point: TapPoint) {
        self.record = record
        self.wallTime = wallTime
        self.point = point
    }

    /// nil at points before a verdict, and for codes that are none (``CaptureRecord/verdict``).
    public var verdict: Verdict? { Verdict(rawValue: record.verdict) }
}

/// What becomes known at the end of a capture, or while it runs.
public struct CaptureTotals: Sendable, Hashable {
    /// By point, in the order of their numbers.
    public struct Point: Sendable, Hashable {
        public var point: TapPoint
        /// Records that were read.
        public var captured: UInt64
        /// Records that the ring had no room for.
        public var lost: UInt64
        /// Packets that came to the point while it was captured, by the chain's counters; nil where they are off.
        public var seen: UInt64?

        public init(point: TapPoint, captured: UInt64 = 0, lost: UInt64 = 0, seen: UInt64? = nil) {
            self.point = point
            self.captured = captured
            self.lost = lost
            self.seen = seen
        }
    }

    public var points: [Point]

    public init(points: [Point] = []) { self.points = points }

    public var captured: UInt64 { Self.sum(points.map(\.captured)) }
    public var lost: UInt64 { Self.sum(points.map(\.lost)) }

    /// A sum of counts, which may stand in a file of anybody: not beyond the largest number.
    public static func sum(_ counts: [UInt64]) -> UInt64 {
        counts.reduce(0) { sum, count in
            let (next, isTooLarge) = sum.addingReportingOverflow(count)
            return isTooLarge ? .max : next
        }
    }
}
