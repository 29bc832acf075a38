// SPDX-License-Identifier: Apache-2.0

/// A packet of a capture file.
public struct CapturedPacket: Sendable, Hashable {
    /// What was captured of the frame.
    public var bytes: [UInt8]
    /// The frame's length.
    public var length: Int
    /// Since 1970; 0 where the file has no times.
    public var nanoseconds: UInt64
    /// The name of the interface, where the file tells it.
    public var interface: String?
    /// The receive queue, where the file tells it.
    public var queue: UInt32?

    init(
        bytes: [UInt8], length: Int, nanoseconds: UInt64, interface: String? = nil, queue: UInt32? = nil
    ) {
        self.bytes = bytes
        self.length = length
        self.nanoseconds = nanoseconds
        self.interface = interface
        self.queue = queue
    }
}
