// SPDX-License-Identifier: Apache-2.0

/// All numbers from one on, upwards through the greatest to zero if need be.
///
/// So one kind of range is both: 0…4 is a range of unsigned numbers, and −5…5 one of signed numbers, which
/// goes through zero.
public struct CircularRange<Word: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
    /// The first number.
    public let start: Word
    /// How many follow.
    public let span: Word

    /// The number and as many that follow.
    init(start: Word, span: Word) {
        // There is one range of everything.
        self.start = span == .max ? 0 : start
        self.span = span
    }

    /// From one number through another, upwards.
    init(from first: Word, through last: Word) {
        self.init(start: first, span: last &- first)
    }

    static var full: Self { Self(start: 0, span: .max) }

    var isFull: Bool { span == .max }

    /// The last number.
    public var end: Word { start &+ span }

    public func contains(_ number: Word) -> Bool { number &- start <= span }

    /// Whether every number of the other is in this.
    func contains(_ other: Self) -> Bool {
        let distance = other.start &- start
        return isFull || distance <= span && other.span <= span - distance
    }

    /// The lowest and the highest as unsigned numbers.
    var unsigned: (lowest: Word, highest: Word) {
        end < start ? (0, .max) : (start, end)
    }

    /// The lowest and the highest as signed numbers, as bits.
    var signed: (lowest: Word, highest: Word) {
        // With the sign's bit turned the order of signed numbers is that of unsigned ones.
        let (first, last) = (start ^ .signBit, end ^ .signBit)
        return last < first || isFull ? (.signBit, .signBit - 1) : (start, end)
    }

    /// The numbers in both; where they are in two pieces, in the smaller of the two ranges. Nil if there are
    /// none.
    func intersected(_ other: Self) -> Self? {
        if isFull { return other }
        if other.isFull { return self }
        let distance = other.start &- start
        let (last, wraps) = distance.addingReportingOverflow(other.span)
        if distance <= span {
            if !wraps { return Self(start: other.start, span: min(span, last) - distance) }
            return span <= other.span ? self : other
        }
        return wraps ? Self(start: start, span: min(span, last)) : nil
    }

    /// The smallest range that holds both.
    func joined(_ other: Self) -> Self {
        if contains(other) { return self }
        if other.contains(self) { return other }
        let candidates = [
            Self(from: start, through: other.end), Self(from: other.start, through: end),
        ].filter { $0.contains(self) && $0.contains(other) }
        return candidates.min { $0.span < $1.span } ?? .full
    }

    /// A range that holds both and that no long row of ever larger ranges leads to.
    func widened(to other: Self) -> Self {
        if contains(other) { return self }
        let both = joined(other)
        if both.start == start, both.end >= start {
            // The next number that is all ones: 0xff, 0x1ff, …
            let width = Word.bitWidth - both.end.leadingZeroBitCount
            let ones: Word = width == Word.bitWidth ? .max : (1 << Word(width)) &- 1
            return Self(from: start, through: ones)
        }
        if both.end == end, both.start <= end { return Self(from: 0, through: end) }
        return .full
    }

    func adding(_ other: Self) -> Self {
        let (span, overflow) = span.addingReportingOverflow(other.span)
        return overflow ? .full : Self(start: start &+ other.start, span: span)
    }

    func subtracting(_ other: Self) -> Self {
        let (span, overflow) = span.addingReportingOverflow(other.span)
        return overflow ? .full : Self(start: start &- other.end, span: span)
    }

    /// Every number times a constant, and those between.
    func multiplied(by factor: Word) -> Self {
        let (span, overflow) = span.multipliedReportingOverflow(by: factor)
        return overflow ? .full : Self(start: start &* factor, span: span)
    }
}
