// SPDX-License-Identifier: Apache-2.0
import BPF

/// What a ``Action/log(_:)`` rule says of one packet, as it stands in the ring.
///
/// | Offset | Size | Content |
/// |---|---|---|
/// | 0 | 8 | when, in nanoseconds of CLOCK_MONOTONIC |
/// | 8 | 4 | the rule's number (``RuleRecord``) |
/// | 12 | 4 | the frame's length |
/// | 16 | 4 | the index of the interface on which it came in |
/// | 20 | 4 | the receive queue |
/// | 24 | 4 | how many of the packet's bytes follow |
/// | 28 | 4 | zero |
/// | 32 | | the packet's first bytes; behind them what was in the ring before |
///
/// Numbers are in host order.
public struct LogReport: Sendable, Hashable {
    public var nanoseconds: UInt64
    public var rule: UInt32
    public var length: UInt32
    public var interface: UInt32
    public var queue: UInt32
    /// The first bytes of the packet.
    public var bytes: [UInt8]

    static let headSize = 32

    enum Offset {
        static let time: Int16 = 0
        static let rule: Int16 = 8
        static let length: Int16 = 12
        static let interface: Int16 = 16
        static let queue: Int16 = 20
        static let captured: Int16 = 24
        static let unused: Int16 = 28
    }

    /// Reads a record of the ring; nil if it is none.
    public init?(_ record: RawSpan) {
        let bytes = record.withUnsafeBytes { Array($0) }
        let reader = ByteReader(bytes)
        func word(_ offset: Int16) -> UInt32? { reader.integer(at: Int(offset)) }
        guard let nanoseconds: UInt64 = reader.integer(at: Int(Offset.time)), let rule = word(Offset.rule),
            let length = word(Offset.length), let interface = word(Offset.interface),
            let queue = word(Offset.queue), let captured = word(Offset.captured),
            captured <= bytes.count - Self.headSize
        else { return nil }
        self.nanoseconds = nanoseconds
        self.rule = rule
        self.length = length
        self.interface = interface
        self.queue = queue
        self.bytes = Array(bytes[Self.headSize..<(Self.headSize + Int(captured))])
    }
}
