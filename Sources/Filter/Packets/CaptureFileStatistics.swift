// SPDX-License-Identifier: Apache-2.0

/// What a capture file says at its end of an interface.
public struct CaptureFileStatistics: Sendable, Hashable {
    /// Nanoseconds since 1970.
    public var start: UInt64?
    public var end: UInt64?
    /// Packets that came.
    public var received: UInt64?
    /// Packets for which there was no room.
    public var lost: UInt64?
    /// Packets that the filter took, lost ones too.
    public var accepted: UInt64?
    /// Packets in the file.
    public var delivered: UInt64?

    public init(
        start: UInt64? = nil, end: UInt64? = nil, received: UInt64? = nil, lost: UInt64? = nil,
        accepted: UInt64? = nil, delivered: UInt64? = nil
    ) {
        self.start = start
        self.end = end
        self.received = received
        self.lost = lost
        self.accepted = accepted
        self.delivered = delivered
    }
}
