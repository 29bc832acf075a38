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

    /// The place in ``CaptureReader/interfaces``, where the file has such.
    public var interfaceNumber: Int?
    /// What an XDP program returned, whether that is a verdict or not.
    public var verdict: UInt64?
    /// What is the same for packets that are the same.
    public var packetID: UInt64?
    /// As epb_flags has them: the lowest two bits are 1 for packets that came in, 2 for those that go out.
    public var flags: UInt32?
    public var comments: [String] = []

    init(
        bytes: [UInt8], length: Int, nanoseconds: UInt64, interface: String? = nil,
        interfaceNumber: Int? = nil, queue: UInt32? = nil
    ) {
        self.bytes = bytes
        self.length = length
        self.nanoseconds = nanoseconds
        self.interface = interface
        self.interfaceNumber = interfaceNumber
        self.queue = queue
    }
}
