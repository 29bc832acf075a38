// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

/// Writes the bytes of random packets, header by header. Checksums are zero: filters do not look at them.
struct FrameMaker {
    private let wish: PacketWish
    private let hasDamage: Bool
    private let hasExtensions: Bool
    private let isIPv6: Bool
    private let isIP: Bool
    private let transport: UInt8

    init(wish: PacketWish, hasDamage: Bool, hasExtensions: Bool, _ world: inout FilterWorld) {
        self.wish = wish
        self.hasDamage = hasDamage
        self.hasExtensions = hasExtensions
        let family: Bool? =
            if let address = wish.addresses.values.first {
                address.isIPv6
            } else if wish.numbers[.icmpType] != nil || wish.numbers[.icmpCode] != nil {
                world.oneIn(8)
            } else if wish.numbers[.icmp6Type] != nil || wish.numbers[.icmp6Code] != nil {
                !world.oneIn(8)
            } else if let version = wish.numbers[.ipVersion] {
                version == 6
            } else {
                nil
            }
        isIPv6 = family ?? (wish.numbers[.etherType].map { $0 == 0x86dd } ?? world.flip())
        let wishesIP =
            family != nil || wish.fragment != nil || wish.tcpFlags != nil
            || wish.numbers.keys.contains { Self.ofIP.contains($0) }
        isIP = wishesIP || wish.numbers[.etherType].map { $0 == 0x0800 || $0 == 0x86dd } ?? !world.oneIn(8)
        transport = Self.transport(of: wish, isIPv6: isIPv6, &world)
    }

    private static let ofIP: Set<NumberField> = [
        .protocol, .dscp, .trafficClass, .ttl, .sourcePort, .destinationPort, .icmpType, .icmpCode,
        .icmp6Type, .icmp6Code,
    ]

    private static func transport(
        of wish: PacketWish, isIPv6: Bool, _ world: inout FilterWorld
    ) -> UInt8 {
        if let number = wish.numbers[.protocol] { return UInt8(number) }
        if wish.tcpFlags != nil { return 6 }
        if wish.numbers[.icmpType] != nil || wish.numbers[.icmpCode] != nil { return 1 }
        if wish.numbers[.icmp6Type] != nil || wish.numbers[.icmp6Code] != nil { return 58 }
        if wish.numbers[.sourcePort] != nil || wish.numbers[.destinationPort] != nil {
            return world.choose([6, 6, 17, 17, 33, 132, 136])
        }
        let number = UInt8(world.number(.protocol))
        return number == 1 || number == 58 ? (isIPv6 ? 58 : 1) : number
    }

    // MARK: - Frame

    func frame(_ world: inout FilterWorld) -> [UInt8] {
        let destination = wish.macs[.destination] ?? world.mac()
        let source = wish.macs[.source] ?? world.mac()
        var bytes = destination.bytes + source.bytes
        for id in tags(&world) {
            bytes += big(world.flip() ? 0x8100 : 0x88a8) + big(UInt16(id) | world.choose(0...15) << 12)
        }
        guard isIP else {
            let type = UInt16(wish.numbers[.etherType] ?? world.choose([0x0806, 0x0806, 0x88b5, 46]))
            return bytes + big(type) + (type == 0x0806 ? arp(&world) : world.bytes(world.choose(0...60)))
        }
        let isWrongType = hasDamage && world.oneIn(40)
        bytes += big(isWrongType ? UInt16(world.number(.etherType)) : isIPv6 ? 0x86dd : 0x0800)
        bytes += isIPv6 ? ipv6(&world) : ipv4(&world)
        if world.oneIn(3), bytes.count < 60 { bytes += [UInt8](repeating: 0, count: 60 - bytes.count) }
        return bytes
    }

    private func tags(_ world: inout FilterWorld) -> [UInt32] {
        if let inner = wish.numbers[.innerVLAN] {
            return [wish.numbers[.vlan] ?? world.number(.vlan), inner]
        }
        if let outer = wish.numbers[.vlan] { return world.oneIn(4) ? [outer, world.number(.vlan)] : [outer] }
        guard world.oneIn(6) else { return [] }
        return (0..<world.choose(1...3)).map { _ in world.number(.vlan) }
    }

    private func arp(_ world: inout FilterWorld) -> [UInt8] {
        [0, 1, 8, 0, 6, 4, 0, world.choose(1...2)] + world.mac().bytes
            + address(.source, isIPv6: false, &world) + world.mac().bytes
            + address(.destination, isIPv6: false, &world)
    }

    // MARK: - Network

    private func address(_ field: AddressField, isIPv6: Bool, _ world: inout FilterWorld) -> [UInt8] {
        if let address = wish.addresses[field], address.isIPv6 == isIPv6 { return address.bytes }
        return world.address(isIPv6: isIPv6).bytes
    }

    private func service(_ world: inout FilterWorld) -> UInt8 {
        if let all = wish.numbers[.trafficClass] { return UInt8(all) }
        if let upper = wish.numbers[.dscp] { return UInt8(upper) << 2 | world.choose(0...3) }
        return UInt8(world.number(.trafficClass))
    }

    /// In units of eight bytes, and whether more follow.
    private func position(_ world: inout FilterWorld) -> (offset: UInt16, moreFollow: Bool) {
        switch wish.fragment ?? (world.oneIn(10) ? world.choose([.first, .later]) : nil) {
        case .first: (0, true)
        case .later, .any: (world.choose([1, 2, 64, 0x1000, 0x1fff]), world.flip())
        case nil: (0, false)
        }
    }

    private func ipv4(_ world: inout FilterWorld) -> [UInt8] {
        let payload = content(&world)
        var words = world.oneIn(5) ? world.choose(5...15) : 5
        let options = world.bytes((words - 5) * 4)
        var total = 20 + options.count + payload.count
        if hasDamage, world.oneIn(30) { words = world.choose(0...15) }
        if hasDamage, world.oneIn(15) { total = lie(about: total, atLeast: words * 4, &world) }
        let (offset, moreFollow) = position(&world)
        let flags: UInt16 = world.choose([0, 0x4000, 0x8000]) | (moreFollow ? 0x2000 : 0)
        let version: UInt8 = hasDamage && world.oneIn(40) ? world.choose(0...15) : 4
        return [version << 4 | UInt8(words), service(&world)] + big(UInt16(clamping: total))
            + world.bytes(2) + big(flags | offset) + [ttl(&world), transport, 0, 0]
            + address(.source, isIPv6: false, &world) + address(.destination, isIPv6: false, &world)
            + options + payload
    }

    private func ipv6(_ world: inout FilterWorld) -> [UInt8] {
        let (first, payload) = chain(&world)
        var length = payload.count
        if hasDamage, world.oneIn(15) { length = lie(about: length, atLeast: 0, &world) }
        let version: UInt8 = hasDamage && world.oneIn(40) ? world.choose(0...15) : 6
        let service = service(&world)
        return [version << 4 | service >> 4, service << 4 | world.choose(0...15)] + world.bytes(2)
            + big(UInt16(clamping: length)) + [first, ttl(&world)]
            + address(.source, isIPv6: true, &world) + address(.destination, isIPv6: true, &world) + payload
    }

    /// A length that is not the true one.
    private func lie(about length: Int, atLeast least: Int, _ world: inout FilterWorld) -> Int {
        world.choose([
            0, least, max(least - 1, 0), least + world.choose(0...20), max(length - world.choose(1...40), 0),
            length + 1, length + 1000, 65_535,
        ])
    }

    private func ttl(_ world: inout FilterWorld) -> UInt8 {
        UInt8(wish.numbers[.ttl] ?? world.number(.ttl))
    }

    /// Extension headers and what is behind them, with the number that names the first.
    private func chain(_ world: inout FilterWorld) -> (UInt8, [UInt8]) {
        guard hasExtensions else { return (transport, content(&world)) }
        var headers: [UInt8] = []
        if world.oneIn(3) {
            let count = world.oneIn(6) ? world.choose(7...10) : world.choose(1...3)
            headers = (0..<count).map { _ in world.choose([0, 43, 60, 60, 51, 135, 139, 140, 44]) }
        }
        if wish.fragment != nil || world.oneIn(12) {
            headers.insert(44, at: world.choose(0...headers.count))
        }
        var bytes = content(&world)
        var next = transport
        for header in headers.reversed() {
            bytes = `extension`(header, next: next, &world) + bytes
            next = header
        }
        return (next, bytes)
    }

    private func `extension`(
        _ header: UInt8, next: UInt8, _ world: inout FilterWorld
    ) -> [UInt8] {
        let units = world.choose([0, 0, 1, 2])
        // Lengths that lead behind the end, or into the middle of something.
        let said = hasDamage && world.oneIn(25) ? world.choose(0...255) : UInt8(units)
        switch header {
        case 44:
            let (offset, moreFollow) = position(&world)
            return [next, said] + big(offset << 3 | world.choose(0...3) << 1 | (moreFollow ? 1 : 0))
                + world.bytes(4)
        case 51:
            return [next, said] + world.bytes((units + 2) * 4 - 2)
        default:
            return [next, said] + world.bytes((units + 1) * 8 - 2)
        }
    }

    // MARK: - Transport

    private func content(_ world: inout FilterWorld) -> [UInt8] {
        let payload = world.bytes(world.choose([0, 0, 4, 20, 100]))
        let ports =
            big(UInt16(wish.numbers[.sourcePort] ?? world.number(.sourcePort)))
            + big(UInt16(wish.numbers[.destinationPort] ?? world.number(.destinationPort)))
        switch transport {
        case 6:
            let flags = wish.tcpFlags ?? world.choose([2, 18, 16, 24, 17, 4, 0, world.choose(0...255)])
            return ports + world.bytes(8) + [0x50, flags] + world.bytes(6) + payload
        case 1, 58:
            let isICMP6 = transport == 58
            let type = wish.numbers[isICMP6 ? .icmp6Type : .icmpType]
            let code = wish.numbers[isICMP6 ? .icmp6Code : .icmpCode]
            return [
                UInt8(type ?? world.number(isICMP6 ? .icmp6Type : .icmpType)),
                UInt8(code ?? world.number(.icmpCode)),
            ] + world.bytes(6) + payload
        default:
            return ports + world.bytes(4) + payload
        }
    }

    private func big(_ number: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }
}
