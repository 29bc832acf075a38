// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

/// What a packet shall be like, as far as that is asked for: made from a rule, so that the packet meets it or misses
/// it by little.
struct PacketWish {
    var numbers: [NumberField: UInt32] = [:]
    var addresses: [AddressField: IPAddress] = [:]
    var macs: [MACField: MACAddress] = [:]
    var tcpFlags: UInt8?
    var fragment: FragmentKind?
    var interface: String?
    var bytes: [ByteTest] = []

    /// Adds what makes a match hold, more or less.
    mutating func add(_ match: Match, of rules: RuleSet, _ world: inout FilterWorld) {
        // Something is left out here and there, so that near misses come too.
        guard !world.oneIn(12) else { return }
        switch match {
        case .always: break
        case .all(let parts): for part in parts { add(part, of: rules, &world) }
        case .any(let parts): if !parts.isEmpty { add(world.choose(parts), of: rules, &world) }
        case .not(let part): if world.oneIn(3) { add(part, of: rules, &world) }
        case .test(let test): add(test, of: rules, &world)
        }
    }

    private mutating func add(_ test: Test, of rules: RuleSet, _ world: inout FilterWorld) {
        switch test {
        case .number(let field, let ranges):
            if !ranges.isEmpty { numbers[field] = number(in: world.choose(ranges), field, &world) }
        case .address(let field, let networks):
            if !networks.isEmpty { addresses[field] = address(in: world.choose(networks), &world) }
        case .mac(let field, let values):
            if !values.isEmpty { macs[field] = world.choose(values) }
        case .tcpFlags(let value, let mask):
            tcpFlags = value | ~mask & world.choose(0...255)
        case .fragment(let kind):
            fragment = kind == .any ? world.choose([.first, .later]) : kind
        case .interface(let names):
            if !names.isEmpty { interface = world.choose(names) }
        case .bytes(let test):
            bytes.append(test)
        case .member(let name, let fields):
            guard let set = rules.set(name), !set.elements.isEmpty else { return }
            for (field, component) in zip(fields, world.choose(set.elements).components) {
                add(component, of: field, &world)
            }
        }
    }

    private mutating func add(_ component: SetComponent, of field: SetField, _ world: inout FilterWorld) {
        switch (field, component) {
        case (.address(let field), .address(let address)):
            self.addresses[field] = world.oneIn(6) ? neighbour(of: address, &world) : address
        case (.address(let field), .prefix(let network)):
            self.addresses[field] = address(in: network, &world)
        case (.number(let field), .numbers(let range)):
            numbers[field] = number(
                in: UInt32(range.lowerBound)...UInt32(range.upperBound), field, &world)
        case (.mac(let field), .mac(let address)): macs[field] = address
        case (.interface, .interface(let name)): interface = name
        default: break
        }
    }

    /// A bound of a range, something between them, or what lies beside it.
    private func number(
        in range: ClosedRange<UInt32>, _ field: NumberField, _ world: inout FilterWorld
    ) -> UInt32 {
        switch world.below(8) {
        case 0: min(range.upperBound + 1, field.maximum)
        case 1: range.lowerBound == 0 ? 0 : range.lowerBound - 1
        case 2, 3: range.lowerBound
        case 4, 5: range.upperBound
        default: world.choose(range)
        }
    }

    /// The first or last address of a network, one inside, or one beside it.
    private func address(in network: IPPrefix, _ world: inout FilterWorld) -> IPAddress {
        var bytes = network.address.bytes
        let filling: [UInt8] =
            switch world.below(4) {
            case 0: [UInt8](repeating: 0, count: bytes.count)
            case 1: [UInt8](repeating: 255, count: bytes.count)
            default: world.bytes(bytes.count)
            }
        for index in bytes.indices {
            let kept = min(max(Int(network.length) - index * 8, 0), 8)
            bytes[index] |= filling[index] & ~UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
        let inside = IPAddress(bytes: bytes) ?? network.address
        return world.oneIn(6) ? neighbour(of: inside, &world) : inside
    }

    private func neighbour(of address: IPAddress, _ world: inout FilterWorld) -> IPAddress {
        var bytes = address.bytes
        let bit = world.below(bytes.count * 8)
        bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
        return IPAddress(bytes: bytes) ?? address
    }
}
