// SPDX-License-Identifier: Apache-2.0

/// What is known of a number: a set that it is in for certain.
///
/// Up to ``limit`` numbers are listed. Beyond that a set is what its known bits, its range and the range of
/// its lower half allow: each of them may say what the others cannot. No set is empty: where nothing is
/// possible there is no set, but nil.
public struct NumberSet: Hashable, Sendable {
    /// How many numbers are listed.
    public static let limit = 16

    let bits: KnownBits<UInt64>
    let range: CircularRange<UInt64>
    /// The lower half's.
    let lowRange: CircularRange<UInt32>
    /// The numbers, ascending, if they are few; empty for a constant, which the range has.
    private let list: [UInt64]

    private init(
        bits: KnownBits<UInt64>, range: CircularRange<UInt64>, lowRange: CircularRange<UInt32>,
        list: [UInt64] = []
    ) {
        self.bits = bits
        self.range = range
        self.lowRange = lowRange
        self.list = list
    }

    /// All numbers.
    public static let full = NumberSet(bits: .unknown, range: .full, lowRange: .full)

    /// One number.
    public init(_ constant: UInt64) {
        self.init(
            bits: KnownBits(constant), range: CircularRange(start: constant, span: 0),
            lowRange: CircularRange(start: UInt32(truncatingIfNeeded: constant), span: 0))
    }

    /// The numbers below two to the power.
    public init(bits width: Int) {
        let highest: UInt64 = width >= 64 ? .max : (1 << UInt64(max(width, 0))) &- 1
        self = Self.reduced(.unknown, CircularRange(from: 0, through: highest), .full) ?? .full
    }

    /// From one number through another, as signed numbers; all if there are none.
    public init(from lowest: Int64, through highest: Int64) {
        let range = CircularRange(
            from: UInt64(bitPattern: lowest), through: UInt64(bitPattern: highest))
        self = lowest > highest ? .full : Self.reduced(.unknown, range, .full) ?? .full
    }

    /// Exactly these, if they are few, or a set that holds them; nil if there are none.
    public init?(_ numbers: some Sequence<UInt64>) {
        let sorted = Set(numbers).sorted()
        guard let first = sorted.first else { return nil }
        guard sorted.count > 1 else {
            self.init(first)
            return
        }
        var bits = KnownBits(first)
        for number in sorted { bits = bits.joined(KnownBits(number)) }
        let halves = Set(sorted.map { UInt32(truncatingIfNeeded: $0) }).sorted()
        self.init(
            bits: bits, range: Self.smallestRange(of: sorted), lowRange: Self.smallestRange(of: halves),
            list: sorted.count <= Self.limit ? sorted : [])
    }

    /// The numbers, if they are few.
    public var members: [UInt64]? {
        if range.span == 0 { return [range.start] }
        return list.isEmpty ? nil : list
    }

    /// The number, if there is only one.
    public var constant: UInt64? { range.span == 0 ? range.start : nil }

    /// The numbers that their lower halves can be, if they are few.
    public var lowMembers: [UInt32]? {
        if let members { return Set(members.map { UInt32(truncatingIfNeeded: $0) }).sorted() }
        return NumberSet(zeroExtended: NumberPart(bits: bits.low, range: lowRange)).members?.map {
            UInt32(truncatingIfNeeded: $0)
        }
    }

    /// Whether nothing is known.
    public var isFull: Bool { self == .full }

    /// Whether the number can be this one.
    public func contains(_ number: UInt64) -> Bool {
        if let members { return members.contains(number) }
        return range.contains(number) && bits.contains(number)
            && lowRange.contains(UInt32(truncatingIfNeeded: number))
    }

    /// Whether the lower half can be this one.
    public func lowContains(_ number: UInt32) -> Bool {
        if let lowMembers { return lowMembers.contains(number) }
        return lowRange.contains(number) && bits.low.contains(number)
    }

    /// The lowest and the highest, as signed numbers.
    public var signedBounds: ClosedRange<Int64> {
        let (lowest, highest) = range.signed
        return Int64(bitPattern: lowest)...max(Int64(bitPattern: lowest), Int64(bitPattern: highest))
    }

    /// The lowest and the highest, as unsigned numbers.
    public var unsignedBounds: ClosedRange<UInt64> {
        let (lowest, highest) = range.unsigned
        return lowest...max(lowest, highest)
    }

    // MARK: Of both

    /// The numbers of both sets, and perhaps more.
    public func joined(_ other: Self) -> Self {
        if self == other { return self }
        if list.isEmpty, range.span != 0, range.contains(other.range), lowRange.contains(other.lowRange),
            bits.joined(other.bits) == bits
        {
            return self
        }
        if let own = members, let others = other.members, let both = NumberSet(own + others) { return both }
        return Self.reduced(
            bits.joined(other.bits), range.joined(other.range), lowRange.joined(other.lowRange)) ?? .full
    }

    /// The numbers of both sets and more, so that no long row of ever larger sets leads there.
    public func widened(to other: Self) -> Self {
        let both = joined(other)
        if both == self { return self }
        return Self.reduced(
            bits.joined(other.bits), range.widened(to: both.range), lowRange.widened(to: both.lowRange))
            ?? .full
    }

    // MARK: Made of parts

    var whole: NumberPart<UInt64> { NumberPart(bits: bits, range: range) }
    var low: NumberPart<UInt32> { NumberPart(bits: bits.low, range: lowRange) }

    /// A lower half with zeros above it.
    init(zeroExtended low: NumberPart<UInt32>) {
        let (lowest, highest) = low.range.unsigned
        let range = CircularRange(from: UInt64(lowest), through: UInt64(highest))
        self = Self.reduced(KnownBits(zeroExtended: low.bits), range, low.range) ?? .full
    }

    /// What parts say together; nil if they contradict each other.
    static func reduced(
        _ bits: KnownBits<UInt64>, _ range: CircularRange<UInt64>, _ low: CircularRange<UInt32>
    ) -> Self? {
        var (bits, range, low) = (bits, range, low)
        // What one learns may be of use to those before it; more rounds bring next to nothing.
        for _ in 0..<2 {
            let (lowest, highest) = range.unsigned
            bits = bits.intersected(KnownBits(from: lowest, through: highest))
            let (lowestHalf, highestHalf) = low.unsigned
            bits = bits.intersected(KnownBits(low: KnownBits(from: lowestHalf, through: highestHalf)))
            guard !bits.isContradiction,
                var newRange = range.intersected(
                    CircularRange(from: bits.lowest, through: bits.highest)),
                var newLow = low.intersected(
                    CircularRange(from: bits.low.lowest, through: bits.low.highest))
            else { return nil }
            if newRange.span < UInt64(UInt32.max) {
                let half = CircularRange(
                    start: UInt32(truncatingIfNeeded: newRange.start),
                    span: UInt32(truncatingIfNeeded: newRange.span))
                guard let both = newLow.intersected(half) else { return nil }
                newLow = both
            }
            if bits.known >> 32 == 0xffff_ffff {
                let above = bits.ones & 0xffff_ffff_0000_0000
                let (first, last) = newLow.unsigned
                let around = CircularRange(from: above | UInt64(first), through: above | UInt64(last))
                guard let both = newRange.intersected(around) else { return nil }
                newRange = both
            }
            if newRange == range, newLow == low { break }
            (range, low) = (newRange, newLow)
        }
        return listed(bits, range, low)
    }

    /// The set with its numbers listed, if they are few.
    private static func listed(
        _ bits: KnownBits<UInt64>, _ range: CircularRange<UInt64>, _ low: CircularRange<UInt32>
    ) -> Self? {
        let isMember = { (number: UInt64) in
            bits.contains(number) && range.contains(number)
                && low.contains(UInt32(truncatingIfNeeded: number))
        }
        if range.span < UInt64(limit) {
            return NumberSet((0...range.span).map { range.start &+ $0 }.filter(isMember))
        }
        if low.span < UInt32(limit), bits.known >> 32 == 0xffff_ffff {
            let above = bits.ones & 0xffff_ffff_0000_0000
            return NumberSet((0...low.span).map { above | UInt64(low.start &+ $0) }.filter(isMember))
        }
        let unknown = ~bits.known
        if unknown.nonzeroBitCount <= 4 {
            var numbers: [UInt64] = []
            // Every subset of the unknown bits.
            var subset = unknown
            while true {
                numbers.append(bits.ones | subset)
                if subset == 0 { break }
                subset = (subset - 1) & unknown
            }
            return NumberSet(numbers.filter(isMember))
        }
        return NumberSet(bits: bits, range: range, lowRange: low)
    }

    /// The smallest range that holds ascending numbers: the largest gap is left out.
    private static func smallestRange<Word: FixedWidthInteger & UnsignedInteger & Sendable>(
        of numbers: [Word]
    ) -> CircularRange<Word> {
        guard let first = numbers.first, let last = numbers.last, numbers.count > 1 else {
            return numbers.first.map { CircularRange(start: $0, span: 0) } ?? .full
        }
        var range = CircularRange(from: first, through: last)
        for (before, after) in zip(numbers, numbers.dropFirst()) {
            let around = CircularRange(from: after, through: before)
            if around.span < range.span { range = around }
        }
        return range
    }
}
