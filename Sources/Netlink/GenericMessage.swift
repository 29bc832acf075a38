// SPDX-License-Identifier: Apache-2.0
import CBPF

/// A message of a generic netlink family.
///
/// Layout of the payload, from `linux/genetlink.h` (`struct genlmsghdr`); the family's attributes follow:
///
/// | Offset | Size | Field |
/// |---|---|---|
/// | 0 | 1 | command |
/// | 1 | 1 | version |
/// | 2 | 2 | reserved |
public struct GenericMessage: Hashable, Sendable {
    /// The family's number.
    public var family: UInt16
    /// The command's number within the family.
    public var command: UInt8
    /// The family's version.
    public var version: UInt8
    /// The attributes.
    public var attributes: Attributes

    /// Reads a message; nil where the payload is shorter than the header.
    public init?(_ message: NetlinkMessage) {
        let payload = message.payload[...]
        guard payload.count >= MemoryLayout<genlmsghdr>.size, let family = UInt16(exactly: message.type),
            let command = payload.integer(UInt8.self, at: 0), let version = payload.integer(UInt8.self, at: 1)
        else { return nil }
        self.family = family
        self.command = command
        self.version = version
        attributes = message.attributes(after: MemoryLayout<genlmsghdr>.size)
    }
}
