// SPDX-License-Identifier: Apache-2.0
import CBPF

/// One attribute of a netlink message.
///
/// Every reading is checked: a value that is too short for it reads as nil.
public struct Attribute: Hashable, Sendable {
    /// The attribute's number, without `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
    public let type: Int
    /// The value, without header and padding.
    public let value: ArraySlice<UInt8>

    /// The first byte.
    public var uint8: UInt8? { value.integer(UInt8.self) }
    /// The first two bytes, in host byte order.
    public var uint16: UInt16? { value.integer(UInt16.self) }
    /// The first four bytes, in host byte order.
    public var uint32: UInt32? { value.integer(UInt32.self) }
    /// The first four bytes as a signed number, in host byte order.
    public var int32: Int32? { value.integer(Int32.self) }
    /// The first eight bytes, in host byte order; netlink aligns them to four bytes only.
    public var uint64: UInt64? { value.integer(UInt64.self) }
    /// A number of four or eight bytes in host byte order, as the kernel's `uint` attributes (Linux 6.7) are.
    public var uint: UInt64? {
        value.count >= 8 ? uint64 : uint32.map(UInt64.init)
    }
    /// The text up to the first NUL or the end; bytes that are not UTF-8 are replaced.
    public var string: String { value.terminatedString }
    /// The attributes nested in this one.
    public var nested: Attributes { Attributes(value) }
}
