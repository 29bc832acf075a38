// SPDX-License-Identifier: Apache-2.0

/// What is known of each bit of a number: zero, one, or nothing.
public struct KnownBits<Word: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
    /// The bits that are zero.
    public var zeros: Word
    /// The bits that are one.
    public var ones: Word

    /// Bits of which these are known. A bit that is said to be both makes a contradiction.
    public init(zeros: Word, ones: Word) {
        self.zeros = zeros
        self.ones = ones
    }

    /// All bits of a constant.
    public init(_ constant: Word) {
        self.init(zeros: ~constant, ones: constant)
    }

    /// What all numbers from one to another have in common, unsigned.
    init(from lowest: Word, through highest: Word) {
        let different = lowest ^ highest
        let width = Word.bitWidth - different.leadingZeroBitCount
        let common: Word = width == Word.bitWidth ? 0 : ~((1 << Word(width)) &- 1)
        self.init(zeros: ~lowest & common, ones: lowest & common)
    }

    /// Nothing is known.
    static var unknown: Self { Self(zeros: 0, ones: 0) }

    /// The bits of which something is known.
    var known: Word { zeros | ones }
    /// The lowest number with such bits, unsigned.
    var lowest: Word { ones }
    /// The highest number with such bits, unsigned.
    var highest: Word { ~zeros }
    /// Whether no number has such bits.
    var isContradiction: Bool { zeros & ones != 0 }

    /// Whether a number has such bits.
    public func contains(_ number: Word) -> Bool {
        number & zeros == 0 && ~number & ones == 0
    }

    /// What holds for the numbers of both.
    func joined(_ other: Self) -> Self {
        Self(zeros: zeros & other.zeros, ones: ones & other.ones)
    }

    /// What is known where both hold.
    func intersected(_ other: Self) -> Self {
        Self(zeros: zeros | other.zeros, ones: ones | other.ones)
    }

    // MARK: Arithmetic

    /// The sum's. A carry is known where the greatest and the least operands agree about it.
    func adding(_ other: Self, carry: Word = 0) -> Self {
        let greatest = highest &+ other.highest &+ carry
        let least = lowest &+ other.lowest &+ carry
        let noCarry = ~(greatest ^ zeros ^ other.zeros)
        let isCarry = least ^ ones ^ other.ones
        let known = known & other.known & (noCarry | isCarry)
        return Self(zeros: ~greatest & known, ones: least & known)
    }

    /// The difference's, which is the sum with the complement and one.
    func subtracting(_ other: Self) -> Self {
        adding(other.complement, carry: 1)
    }

    var complement: Self { Self(zeros: ones, ones: zeros) }

    /// The product's: its low bits depend on the operands' low bits alone.
    func multiplied(by other: Self) -> Self {
        let count = min((~known).trailingZeroBitCount, (~other.known).trailingZeroBitCount)
        let mask: Word = count >= Word.bitWidth ? .max : (1 << Word(count)) &- 1
        let product = ones &* other.ones
        let empty = (~zeros).trailingZeroBitCount + (~other.zeros).trailingZeroBitCount
        let low: Word = empty >= Word.bitWidth ? .max : (1 << Word(empty)) &- 1
        return Self(zeros: ~product & mask | low, ones: product & mask)
    }

    func and(_ other: Self) -> Self {
        Self(zeros: zeros | other.zeros, ones: ones & other.ones)
    }

    func or(_ other: Self) -> Self {
        Self(zeros: zeros & other.zeros, ones: ones | other.ones)
    }

    func xor(_ other: Self) -> Self {
        Self(
            zeros: zeros & other.zeros | ones & other.ones, ones: zeros & other.ones | ones & other.zeros)
    }

    /// The bits moved up, zeros behind them.
    func shiftedLeft(_ count: Int) -> Self {
        let shift = Word(count)
        return Self(zeros: zeros << shift | ((1 << shift) &- 1), ones: ones << shift)
    }

    /// The bits moved down, zeros before them.
    func shiftedRight(_ count: Int) -> Self {
        let shift = Word(count)
        return Self(zeros: zeros >> shift | ~(Word.max >> shift), ones: ones >> shift)
    }

    /// The bits moved down, the sign before them.
    func arithmeticallyShiftedRight(_ count: Int) -> Self {
        Self(zeros: zeros.arithmeticallyShiftedRight(count), ones: ones.arithmeticallyShiftedRight(count))
    }

    var byteSwapped: Self { Self(zeros: zeros.byteSwapped, ones: ones.byteSwapped) }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The bit that is the sign of a number in two's complement.
    static var signBit: Self { 1 << Self(bitWidth - 1) }

    /// Moved down, filled with the sign.
    func arithmeticallyShiftedRight(_ count: Int) -> Self {
        let shift = Self(count)
        let moved = self >> shift
        return self & .signBit == 0 ? moved : moved | ~(Self.max >> shift)
    }
}

extension KnownBits<UInt64> {
    /// The bits of the lower half.
    var low: KnownBits<UInt32> {
        KnownBits<UInt32>(zeros: UInt32(truncatingIfNeeded: zeros), ones: UInt32(truncatingIfNeeded: ones))
    }

    /// What is known of the lower half, nothing above.
    init(low: KnownBits<UInt32>) {
        self.init(zeros: UInt64(low.zeros), ones: UInt64(low.ones))
    }

    /// The lower half with zeros above it.
    init(zeroExtended low: KnownBits<UInt32>) {
        self.init(zeros: UInt64(low.zeros) | 0xffff_ffff_0000_0000, ones: UInt64(low.ones))
    }
}
