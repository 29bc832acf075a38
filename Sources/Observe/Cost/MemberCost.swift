// SPDX-License-Identifier: Apache-2.0

/// What a member of a chain costs for each packet that it sees, from a sample of them.
public struct MemberCost: Sendable, Hashable {
    public var member: String
    /// From the end of the member before to its own, without what measuring takes.
    public var nanosecondsPerPacket: Double
    /// How many packets it is the mean of.
    public var packets: UInt64

    public init(member: String, nanosecondsPerPacket: Double, packets: UInt64) {
        self.member = member
        self.nanosecondsPerPacket = nanosecondsPerPacket
        self.packets = packets
    }
}
