// SPDX-License-Identifier: Apache-2.0

/// What a capture file says of an interface; of a capture of ours, of one of its points. Packets of it are Ethernet frames, and their times
/// nanoseconds.
public struct CaptureFileInterface: Sendable, Hashable {
    public var name: String?
    public var description: String?
    /// The expression that chose its packets, as it was typed.
    public var filter: String?
    /// Bytes of a packet at most; 0: no limit.
    public var snapLength: UInt32
    public var system: String?
    public var hardware: String?
    public var comment: String?

    public init(
        name: String? = nil, description: String? = nil, filter: String? = nil, snapLength: UInt32 = 0,
        system: String? = nil, hardware: String? = nil, comment: String? = nil
    ) {
        self.name = name
        self.description = description
        self.filter = filter
        self.snapLength = snapLength
        self.system = system
        self.hardware = hardware
        self.comment = comment
    }
}
