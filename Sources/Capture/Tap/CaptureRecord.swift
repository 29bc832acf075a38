// SPDX-License-Identifier: Apache-2.0
import XDP

/// What stands in the ring buffer for a packet at a point, in this machine's byte order; then come the bytes of the packet.
/// The room that a record has in the ring may be larger than it needs: ``Offset/captured`` says how many bytes are the packet's.
///
/// | Offset | Bytes | Content |
/// |---|---|---|
/// | 0 | 8 | when, in nanoseconds of CLOCK_MONOTONIC |
/// | 8 | 8 | the packet: the same number at every point of a chain that it was recorded at |
/// | 16 | 4 | its whole length |
/// | 20 | 4 | how many of its bytes follow |
/// | 24 | 4 | the number of the point (``Tap/points``) |
/// | 28 | 4 | the verdict as the program returned it; ``Tap/noVerdict`` at start and entry |
/// | 32 | 4 | the receive queue |
/// | 36 | 4 | the CPU |
public struct CaptureRecord: Sendable, Hashable {
    public static let headSize = 40

    public enum Offset {
        public static let time: Int16 = 0
        public static let packet: Int16 = 8
        public static let length: Int16 = 16
        public static let captured: Int16 = 20
        public static let point: Int16 = 24
        public static let verdict: Int16 = 28
        public static let queue: Int16 = 32
        public static let cpu: Int16 = 36
    }

    public var time: UInt64
    public var packet: UInt64
    public var length: UInt32
    public var captured: UInt32
    public var point: UInt32
    public var verdict: UInt32
    public var queue: UInt32
    public var cpu: UInt32

    /// Reads the head of a record; nil if it is too short for what it says.
    public init?(_ record: RawSpan) {
        guard record.byteCount >= Self.headSize else { return nil }
        let fields = record.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: Int(Offset.time), as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: Int(Offset.packet), as: UInt64.self)
            )
        }
        func word(_ offset: Int16) -> UInt32 {
            record.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: Int(offset), as: UInt32.self) }
        }
        (time, packet) = fields
        length = word(Offset.length)
        captured = word(Offset.captured)
        point = word(Offset.point)
        verdict = word(Offset.verdict)
        queue = word(Offset.queue)
        cpu = word(Offset.cpu)
        guard Int(captured) <= record.byteCount - Self.headSize else { return nil }
    }
}
