// SPDX-License-Identifier: Apache-2.0
import Netlink

/// A named set, whose elements can change while rules refer to it.
public struct SetDeclaration: Sendable, Hashable {
    /// What an element, or a component of one, is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case address, prefix, port, `protocol`, mac, vlan, interface
    }

    /// Letters, digits, `_` and `-`, a letter first; at most 32.
    public var name: String
    /// One kind, or several for tuples (`address . port`), which hold no prefixes and no ranges.
    public var kinds: [Kind]
    /// What the file itself lists.
    public var elements: [SetElement]
    /// A file with further elements, one a line, as it is written in the rule file.
    public var file: String?
    /// The standard life of elements, in seconds from when they are added.
    public var timeout: UInt64?
    /// Whether elements may have a life of their own; so wherever there is a ``timeout``.
    public var hasTimeouts: Bool
    /// The number of elements that it shall have room for; nil: as many as come.
    public var capacity: UInt32?
    public var place: SourcePlace

    public init(
        name: String, kinds: [Kind], elements: [SetElement] = [], file: String? = nil, timeout: UInt64? = nil,
        hasTimeouts: Bool = false, capacity: UInt32? = nil, place: SourcePlace = .none
    ) {
        self.name = name
        self.kinds = kinds
        self.elements = elements
        self.file = file
        self.timeout = timeout
        self.hasTimeouts = hasTimeouts || timeout != nil
        self.capacity = capacity
        self.place = place
    }
}

/// One element of a set.
public struct SetElement: Sendable, Hashable {
    /// One for each kind of the set.
    public var components: [SetComponent]
    /// Its life in seconds from when it is added; nil: the set's.
    public var timeout: UInt64?

    public init(_ components: [SetComponent], timeout: UInt64? = nil) {
        self.components = components
        self.timeout = timeout
    }
}

/// One component of an element.
public enum SetComponent: Sendable, Hashable {
    case address(IPAddress)
    case prefix(IPPrefix)
    /// Ports, protocols, VLAN ids; ranges only in sets of one kind.
    case numbers(ClosedRange<UInt16>)
    case mac(MACAddress)
    case interface(String)
}

/// A network: an address whose bits beyond the length are zero.
public struct IPPrefix: Sendable, Hashable {
    public let address: IPAddress
    /// In bits.
    public let length: UInt8

    /// The network that an address is in; nil if the length is more than the address has.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.bytes.count * 8).contains(length) else { return nil }
        var bytes = address.bytes
        for place in bytes.indices {
            let kept = min(max(length - place * 8, 0), 8)
            bytes[place] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
        guard let network = IPAddress(bytes: bytes) else { return nil }
        self.address = network
        self.length = UInt8(length)
    }

    /// The network of one address.
    public init(_ address: IPAddress) {
        self.address = address
        length = UInt8(address.bytes.count * 8)
    }

    public var isIPv6: Bool { address.isIPv6 }

    /// Whether the network is one address.
    public var isSingle: Bool { Int(length) == address.bytes.count * 8 }

    /// Whether an address is in the network; never of the other family.
    public func contains(_ other: IPAddress) -> Bool {
        IPPrefix(other, length: Int(length))?.address == address
    }
}

extension IPPrefix: CustomStringConvertible {
    /// `192.0.2.0/24`, and `192.0.2.1` for a single address.
    public var description: String {
        isSingle ? "\(address)" : "\(address)/\(length)"
    }
}

/// An Ethernet address.
public struct MACAddress: Sendable, Hashable {
    /// The lower 48 bits; the first byte on the wire is the uppermost.
    public let value: UInt64

    public init(value: UInt64) {
        self.value = value & 0xffff_ffff_ffff
    }

    /// In the order of transmission.
    public var bytes: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64($0))) }
    }
}

extension MACAddress: CustomStringConvertible {
    /// `02:00:00:00:00:01`.
    public var description: String { HardwareAddress(bytes).description }
}
