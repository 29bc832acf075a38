// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

/// A packet as it comes in.
public struct RandomPacket: Sendable, Hashable {
    public var bytes: [UInt8]
    /// The name of the interface; nil: one that no rule names.
    public var interface: String?
    public var queue: UInt32

    /// The bytes as hexadecimal digits, for messages.
    public var hex: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// An endless sequence of packets for a rule set, the same one for the same seed.
///
/// Most are made to meet one of its rules, or to miss it by little; among them are all kinds of odd, broken and
/// truncated ones.
public struct RandomPackets: Sequence, IteratorProtocol {
    private let rules: RuleSet
    private var world: FilterWorld
    /// No packet is shorter; a test run takes none below 14.
    public var shortest = 0
    /// Where a rule asks for longer ones they are not made.
    public var longest = 2000
    /// Whether a part of the packets is damaged: cut short, with lengths that lie, random bytes.
    public var hasDamage = true

    /// Whether IPv6 packets have extension headers.
    public var hasExtensions = true

    public init(for rules: RuleSet, seed: UInt64) {
        self.rules = rules
        world = FilterWorld(random: SeededGenerator(seed: seed))
    }

    public mutating func next() -> RandomPacket? {
        if hasDamage, world.oneIn(60) {
            return RandomPacket(bytes: grown(world.bytes(world.choose(0...100))), interface: nil, queue: 0)
        }
        var wish = PacketWish()
        for match in path() { wish.add(match, of: rules, &world) }
        var bytes = FrameMaker(wish: wish, hasDamage: hasDamage, hasExtensions: hasExtensions, &world).frame(
            &world)
        if let length = wish.numbers[.length].map(Int.init), length <= longest {
            bytes = Array(bytes.prefix(length)) + world.bytes(length - bytes.count)
        }
        for test in wish.bytes { satisfy(test, in: &bytes) }
        if hasDamage { damage(&bytes) }
        return RandomPacket(
            bytes: grown(Array(bytes.prefix(longest))), interface: wish.interface,
            queue: wish.numbers[.queue] ?? world.choose([0, 0, 0, 1]))
    }

    /// The matches on the way to a random rule: its own, and those of the jumps that lead to it.
    private mutating func path() -> [Match] {
        guard var rule = rules.rules.isEmpty ? nil : world.choose(rules.rules) else { return [] }
        var path = [rule.match]
        // A path through groups that lead back into each other would have no end.
        for _ in 0..<4 {
            guard case .jump(let name) = rule.action, let group = rules.group(name), !group.rules.isEmpty
            else { break }
            rule = world.choose(group.rules)
            path.append(rule.match)
        }
        return path
    }

    private func grown(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: Swift.max(shortest - bytes.count, 0))
    }

    /// Writes bytes where a test looks for them.
    private mutating func satisfy(_ test: ByteTest, in bytes: inout [UInt8]) {
        let fields = PacketFields(packet: bytes)
        let base: Int? =
            switch test.base {
            case .frame: 0
            case .network: fields.networkOffset
            case .transport: fields.transportOffset
            }
        guard let start = base.map({ $0 + Int(test.offset) }), start + Int(test.count) <= longest else {
            return
        }
        // Often the packet becomes long enough for it, not always.
        if start + Int(test.count) > bytes.count, world.flip() {
            bytes += world.bytes(start + Int(test.count) - bytes.count)
        }
        guard start + Int(test.count) <= bytes.count else { return }
        let around: UInt64 = world.choose([0, 0, 0, 1, UInt64.max])
        let value = test.value &+ around | ~test.mask & world.choose(0...UInt64.max)
        for index in 0..<Int(test.count) {
            let shift = UInt64(8 * (Int(test.count) - 1 - index))
            bytes[start + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        switch world.below(16) {
        case 0:
            bytes = Array(bytes.prefix(world.choose(0...bytes.count)))
        case 1:
            // Within the headers, where it hurts.
            bytes = Array(bytes.prefix(world.choose(0...90)))
        case 2 where !bytes.isEmpty:
            bytes[world.below(Swift.min(bytes.count, 60))] = world.choose(0...255)
        case 3:
            bytes += [UInt8](repeating: 0, count: world.choose(1...46))
        default:
            break
        }
    }
}
