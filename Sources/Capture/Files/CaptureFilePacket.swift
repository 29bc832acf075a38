// SPDX-License-Identifier: Apache-2.0

/// What a capture file says of a packet, beside its bytes.
public struct CaptureFilePacket: Sendable, Hashable {
    /// The number that ``CaptureFileWriter/add(_:)`` gave.
    public var interface: UInt32
    /// Since 1970, UTC.
    public var nanoseconds: UInt64
    /// Of the whole frame; what is captured may be less.
    public var length: UInt32
    public var queue: UInt32?
    /// What the XDP program returned, whether that is a verdict or not.
    public var verdict: UInt64?
    /// The same for a packet at all of its points.
    public var packetID: UInt64?
    /// As epb_flags has them.
    public var flags: UInt32?

    /// Came in by the interface, goes out of it.
    public static let inbound: UInt32 = 1
    public static let outbound: UInt32 = 2

    public init(
        interface: UInt32, nanoseconds: UInt64, length: UInt32, queue: UInt32? = nil, verdict: UInt64? = nil,
        packetID: UInt64? = nil, flags: UInt32? = nil
    ) {
        self.interface = interface
        self.nanoseconds = nanoseconds
        self.length = length
        self.queue = queue
        self.verdict = verdict
        self.packetID = packetID
        self.flags = flags
    }
}
