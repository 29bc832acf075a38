// SPDX-License-Identifier: Apache-2.0
import Netlink

// Elements as keys and back.
extension SetLayout {
    /// The bytes by which an element is known in user space: the map's key, and in tables the number (4, host order).
    func entryKeySize(of part: Part) -> Int {
        switch storage(of: part) {
        case .hash(let size), .trie(let size): size
        case .table: 4
        }
    }

    /// The place of the part (``parts``) and the key there of an element that is one key; nil if it does not fit the
    /// kinds, or names an interface that there is none of.
    func key(of components: [SetComponent], interface: (String) -> UInt32?) -> (part: Int, key: [UInt8])? {
        guard components.count == kinds.count else { return nil }
        var key: [UInt8] = []
        var isIPv6: Bool?
        func add(_ number: UInt32) { withUnsafeBytes(of: number) { key += $0 } }
        for (component, kind) in zip(components, kinds) {
            switch (component, kind) {
            case (.address(let address), .address), (.address(let address), .prefix):
                guard isIPv6 ?? address.isIPv6 == address.isIPv6 else { return nil }
                isIPv6 = address.isIPv6
                if kinds == [.prefix] { add(UInt32(address.bytes.count * 8)) }
                key += address.bytes
            case (.prefix(let prefix), .prefix), (.prefix(let prefix), .address):
                guard isIPv6 ?? prefix.isIPv6 == prefix.isIPv6, prefix.isSingle || kinds == [.prefix] else {
                    return nil
                }
                isIPv6 = prefix.isIPv6
                if kinds == [.prefix] { add(UInt32(prefix.length)) }
                key += prefix.address.bytes
            case (.numbers(let range), .port), (.numbers(let range), .protocol), (.numbers(let range), .vlan):
                guard range.count == 1 else { return nil }
                add(UInt32(range.lowerBound))
            case (.mac(let mac), .mac): key += mac.bytes + [0, 0]
            case (.interface(let name), .interface):
                guard let index = interface(name) else { return nil }
                add(index)
            default: return nil
            }
        }
        return (isIPv6 == true ? 1 : 0, key)
    }

    /// The components of a key; nil where an interface has no name, or the bytes are no key.
    func components(
        of key: UnsafeRawBufferPointer, in part: Part, interfaceName: (UInt32) -> String?
    ) -> [SetComponent]? {
        guard key.count == entryKeySize(of: part) else { return nil }
        func number(_ place: Int) -> UInt32 { key.loadUnaligned(fromByteOffset: place, as: UInt32.self) }
        if case .trie = storage(of: part) {
            guard let address = IPAddress(bytes: key[4...]),
                let prefix = IPPrefix(address, length: Int(number(0)))
            else { return nil }
            return [.prefix(prefix)]
        }
        var components: [SetComponent] = []
        components.reserveCapacity(kinds.count)
        var place = 0
        for kind in kinds {
            let end = place + size(of: kind, in: part)
            switch kind {
            case .address, .prefix:
                guard let address = IPAddress(bytes: key[place..<end]) else { return nil }
                components.append(.address(address))
            case .port, .protocol, .vlan:
                let value = UInt16(truncatingIfNeeded: number(place))
                components.append(.numbers(value...value))
            case .mac:
                let value = key[place..<place + 6].reduce(0) { $0 << 8 | UInt64($1) }
                components.append(.mac(MACAddress(value: value)))
            case .interface:
                guard let name = interfaceName(number(place)) else { return nil }
                components.append(.interface(name))
            }
            place = end
        }
        return components
    }
}
