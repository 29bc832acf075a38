// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The offloads of an interface, by ethtool's names: "rx-lro", "rx-gro", "tx-tcp-segmentation".
///
/// Layout of `ETHTOOL_MSG_FEATURES_GET_REPLY` (linux/ethtool_netlink.h): bit sets, each a nest that lists its bits
/// by name.
///
/// | Attribute | Content |
/// |---|---|
/// | `ETHTOOL_A_FEATURES_HW` | every bit that the kernel knows; those with the flag "value" can be switched |
/// | `ETHTOOL_A_FEATURES_ACTIVE` | the bits that are on |
public struct Offloads: Hashable, Sendable {
    /// Those that are on.
    public var active: Set<String> = []
    /// Those that the driver lets the user switch.
    public var switchable: Set<String> = []

    /// Whether one is on; nil where the driver has no such thing.
    public subscript(_ name: String) -> Bool? {
        if active.contains(name) { return true }
        return switchable.contains(name) ? false : nil
    }

    /// Reads an answer; what is not there is empty.
    public init(_ attributes: Attributes) {
        if let set = attributes[ETHTOOL_A_FEATURES_HW] {
            switchable = Self.names(in: set.nested)
        }
        if let set = attributes[ETHTOOL_A_FEATURES_ACTIVE] {
            active = Self.names(in: set.nested)
        }
    }

    /// The names of the bits that are set. A set without a mask lists only those, a set with one lists all and
    /// flags those.
    private static func names(in set: Attributes) -> Set<String> {
        let isList = set[ETHTOOL_A_BITSET_NOMASK] != nil
        var names: Set<String> = []
        for bit in set[ETHTOOL_A_BITSET_BITS]?.nested ?? Attributes([]) {
            let fields = bit.nested
            guard bit.type == ETHTOOL_A_BITSET_BITS_BIT,
                isList || fields[ETHTOOL_A_BITSET_BIT_VALUE] != nil,
                let name = fields[ETHTOOL_A_BITSET_BIT_NAME]?.string, !name.isEmpty
            else { continue }
            names.insert(name)
        }
        return names
    }
}
