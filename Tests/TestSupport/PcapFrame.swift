// SPDX-License-Identifier: Apache-2.0

/// Random Ethernet frames that ``PcapExpression``s are about: with tags, labels, PPPoE, LLC, options, extension headers,
/// fragments; some cut short, long, or damaged.
public struct PcapFrame {
    private var world: PcapWorld
    /// No frame is shorter; a test run takes none below 14.
    public var shortest = 0
    /// One in so many is longer than a first buffer is.
    public var longOneIn = 25

    public init(seed: UInt64) {
        world = PcapWorld(seed: seed)
    }

    public mutating func next() -> [UInt8] {
        var bytes = frame()
        switch world.random.below(10) {
        case 0: bytes = Array(bytes.prefix(world.random.choose(0...80)))
        case 1:
            // Between the bytes of a field.
            let end = world.random.choose([14, 18, 23, 24, 26, 30, 33, 34, 37, 38, 54, 55, 56, 57, 58])
            bytes = Array(bytes.prefix(end))
        case 2:
            for _ in 0..<world.random.choose(1...4) where !bytes.isEmpty {
                bytes[world.random.below(bytes.count)] = world.random.choose(0...255)
            }
        case 3: bytes += world.random.bytes(world.random.choose(0...200))
        default:
            if bytes.count < 60, world.random.flip() {
                bytes += [UInt8](repeating: 0, count: 60 - bytes.count)
            }
        }
        if world.random.oneIn(longOneIn) {
            bytes += world.random.bytes(world.random.choose([900, 1500, 3500, 5000, 9000]))
        }
        if bytes.count < shortest { bytes += world.random.bytes(shortest - bytes.count) }
        return bytes
    }

    private func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    private mutating func frame() -> [UInt8] {
        let addresses = world.mac() + world.mac()
        return addresses + typed(depth: 0)
    }

    /// An Ethernet type, and what follows it.
    private mutating func typed(depth: Int) -> [UInt8] {
        guard depth < 4 else { return network() }
        switch world.random.below(16) {
        case 0, 1, 2:
            let tag = world.random.choose(PcapWorld.tags) | world.random.choose([0, 0x2000, 0x1000])
            return word(world.random.choose([0x8100, 0x8100, 0x88a8, 0x9100])) + word(tag)
                + typed(depth: depth + 1)
        case 3:
            var bytes = word(world.random.choose([0x8847, 0x8847, 0x8848]))
            let count = world.random.choose(1...3)
            for place in 1...count {
                let label = world.random.choose(PcapWorld.labels)
                let entry = label << 12 | (place == count ? 0x100 : 0) | 64
                bytes += word(UInt16(entry >> 16)) + word(UInt16(entry & 0xffff))
            }
            return bytes + Array(network().dropFirst(2))
        case 4:
            let inside = network()
            let isSix = Array(inside.prefix(2)) == [0x86, 0xdd]
            let session: UInt16 = world.random.choose([0, 1, 7])
            return word(world.random.choose([0x8864, 0x8864, 0x8863])) + [0x11, 0] + word(session)
                + word(UInt16(inside.count)) + word(isSix ? 0x57 : 0x21) + Array(inside.dropFirst(2))
        case 5:
            let control: UInt8 = world.random.choose([
                0x03, 0x00, 0x01, 0xe3, 0xf3, world.random.choose(0...255),
            ])
            let access: UInt8 = world.random.choose([0x42, 0xfe, 0xf0, 0xe0, 0xaa, 0xff])
            let rest = [access, access, control] + [0x83, 0, 0, 0, world.random.choose(0...27)]
            return word(world.random.choose([38, 46, 1500, 1501])) + rest + world.random.bytes(40)
        case 6: return word(world.random.choose(PcapWorld.etherTypes)) + world.random.bytes(60)
        default: return network()
        }
    }

    private mutating func network() -> [UInt8] {
        switch world.random.below(9) {
        case 0:
            let isReverse = world.random.oneIn(3)
            return word(isReverse ? 0x8035 : 0x0806) + [0, 1, 8, 0, 6, 4] + word(world.random.choose([1, 2]))
                + world.mac() + world.four() + world.mac() + world.four()
        case 1, 2, 3: return word(0x86dd) + six()
        default: return word(0x0800) + four()
        }
    }

    private mutating func four() -> [UInt8] {
        let options = world.random.oneIn(5) ? world.random.choose(0...10) : 0
        let fragment: UInt16 = world.random.choose([0, 0, 0, 0x4000, 0x2000, 0x2001, 0x00b9])
        let next = world.random.choose(PcapWorld.protocols)
        let payload = transport(next, depth: 0)
        return [0x45 + UInt8(options), world.random.choose([0, 0xb8])]
            + word(UInt16(clamping: 20 + 4 * options + payload.count)) + word(world.random.choose([0, 1]))
            + word(fragment) + [world.random.choose([1, 64, 255]), next] + word(0) + world.four()
            + world.four()
            + world.random.bytes(4 * options) + payload
    }

    private mutating func six() -> [UInt8] {
        let next = world.random.choose(PcapWorld.protocols)
        let payload = transport(next, depth: 0)
        return [0x60, world.random.choose([0, 0x10]), 0, 0] + word(UInt16(clamping: payload.count))
            + [next, world.random.choose([1, 64, 255])] + world.six() + world.six() + payload
    }

    /// What a protocol's header is, and what follows it.
    private mutating func transport(_ number: UInt8, depth: Int) -> [UInt8] {
        let most = world.random.oneIn(10) ? 20 : 4
        switch number {
        case 6:
            let flags: UInt8 = world.random.choose([0x02, 0x12, 0x10, 0x18, 0x01, 0x04])
            return word(world.port()) + word(world.port()) + world.random.bytes(8)
                + [world.random.choose([0x50, 0x80, 0xf0]), flags] + world.random.bytes(6)
                + (world.random.flip()
                    ? Array("GET / HTTP".utf8) : world.random.bytes(world.random.below(40)))
        case 17:
            let port = world.port()
            let head = word(world.port()) + word(port) + word(world.random.choose([8, 20])) + word(0)
            guard port == 6081 else { return head + world.random.bytes(world.random.below(40)) }
            // Geneve
            let options: UInt8 = world.random.choose([0, 0, 1, 3])
            return head + [options, 0] + word(world.random.choose([0x6558, 0x0800, 0x86dd])) + [0, 0, 5, 0]
                + world.random.bytes(4 * Int(options)) + (depth < 2 ? frame() : [])
        case 1, 58: return [world.random.choose([0, 3, 8, 128, 129, 135]), 0] + world.random.bytes(20)
        case 0, 43, 44, 60, 51:
            guard depth < most else { return world.random.bytes(8) }
            let next = world.random.choose(PcapWorld.protocols)
            let units = number == 44 ? 0 : world.random.choose([0, 0, 1, 2])
            let length = number == 51 ? 4 * (units + 2) : 8 * (units + 1)
            return [next, UInt8(units)] + world.random.bytes(max(length - 2, 0))
                + transport(next, depth: depth + 1)
        case 4: return depth < 2 ? four() : []
        case 41: return depth < 2 ? six() : []
        default: return world.random.bytes(world.random.choose(0...40))
        }
    }
}
