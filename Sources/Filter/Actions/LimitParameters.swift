// SPDX-License-Identifier: Apache-2.0

/// What the tables hold of a ``Limit``: the parameters of its ``RuleRecord``.
///
/// | Offset | Size | Content |
/// |---|---|---|
/// | 0 | 8 | what a packet or byte costs (``RateClock/cost``) |
/// | 8 | 8 | how far ahead of now a bucket may be |
/// | 16 | 8 | beyond that it is past |
/// | 24 | 2 | ticks a nanosecond |
/// | 26 | 1 | the cost's bits behind the point |
/// | 27 | 1 | 0: one bucket; 1: one for each source network; 2: for each destination network; 128 is added for bytes |
/// | 28 | 4 | the bits of IPv4 addresses that tell buckets apart, in network order |
/// | 32 | 16 | those of IPv6 |
///
/// Numbers are in host order. The excess is in the record itself.
public struct LimitParameters: Sendable, Hashable {
    /// 48 bytes, for offset ``RuleRecord/parameters`` of the record.
    public let bytes: [UInt8]

    enum Offset {
        static let cost = 0
        static let window = 8
        static let horizon = 16
        static let multiplier = 24
        static let fraction = 26
        static let kind = 27
        static let mask4 = 28
        static let mask6 = 32
    }

    /// The bit of the kind that says that bytes are counted.
    static let countsBytes: UInt8 = 128

    public init(_ limit: Limit) {
        var kind: UInt8
        var bits: (four: UInt8, six: UInt8) = (0, 0)
        switch limit.scope {
        case .rule: kind = 0
        case .source(let bits4, let bits6): (kind, bits) = (1, (bits4, bits6))
        case .destination(let bits4, let bits6): (kind, bits) = (2, (bits4, bits6))
        }
        if limit.rate.unit == .bytes { kind |= Self.countsBytes }
        bytes =
            RateClock(limit.rate, burst: limit.burst).bytes(kind: kind)
            + Self.mask(bits.four, size: 4) + Self.mask(bits.six, size: 16)
    }

    /// A network mask in network order.
    private static func mask(_ bits: UInt8, size: Int) -> [UInt8] {
        (0..<size).map { place in
            let kept = min(max(Int(bits) - place * 8, 0), 8)
            return UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
    }
}

extension RateClock {
    /// The first 28 bytes of the parameters of limits and reports.
    func bytes(kind: UInt8) -> [UInt8] {
        [cost, window, horizon].flatMap(Self.bytes) + Self.bytes(multiplier) + [fraction, kind]
    }

    /// A number in host order.
    static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }
}
