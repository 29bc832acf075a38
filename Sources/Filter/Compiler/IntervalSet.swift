// SPDX-License-Identifier: Apache-2.0

/// Numbers as ranges: ascending, disjoint, not adjacent.
struct IntervalSet<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<Bound>]

    static var empty: Self { Self(sorted: []) }

    init(sorted ranges: [ClosedRange<Bound>]) {
        self.ranges = ranges
    }

    init(_ range: ClosedRange<Bound>) {
        ranges = [range]
    }

    /// Ranges in any order, which may overlap.
    init(_ unsorted: some Sequence<ClosedRange<Bound>>) {
        ranges = []
        for range in unsorted.sorted(by: { $0.lowerBound < $1.lowerBound }) { append(range) }
    }

    /// Adds a range that begins at or behind the beginning of the last one.
    private mutating func append(_ range: ClosedRange<Bound>) {
        guard let last = ranges.last else { return ranges.append(range) }
        if last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    var isEmpty: Bool { ranges.isEmpty }

    /// The number, if it is only one.
    var single: Bound? {
        guard ranges.count == 1, ranges[0].lowerBound == ranges[0].upperBound else { return nil }
        return ranges[0].lowerBound
    }

    func contains(_ number: Bound) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= number
    }

    func union(_ other: Self) -> Self {
        Self(ranges + other.ranges)
    }

    func intersection(_ other: Self) -> Self {
        var result: [ClosedRange<Bound>] = []
        var mine = 0
        var others = 0
        while mine < ranges.count, others < other.ranges.count {
            let low = max(ranges[mine].lowerBound, other.ranges[others].lowerBound)
            let high = min(ranges[mine].upperBound, other.ranges[others].upperBound)
            if low <= high { result.append(low...high) }
            if ranges[mine].upperBound < other.ranges[others].upperBound { mine += 1 } else { others += 1 }
        }
        return Self(sorted: result)
    }

    /// What is not in it, of 0 to a maximum.
    func complement(upTo maximum: Bound) -> Self {
        var result: [ClosedRange<Bound>] = []
        var next: Bound = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            guard range.upperBound < maximum else { return Self(sorted: result) }
            next = range.upperBound + 1
        }
        result.append(next...maximum)
        return Self(sorted: result)
    }
}
