// SPDX-License-Identifier: Apache-2.0
import Filter

/// Makes the matches of random rules.
struct RandomMatch {
    var world: FilterWorld
    let sets: [SetDeclaration]
    let interfaces: [String]
    let hasByteTests: Bool
    let hasQueues: Bool

    mutating func match(depth: Int) -> Match {
        if world.oneIn(25) { return .always }
        if world.flip() { return sensible() }
        return tree(depth: depth, below: nil)
    }

    /// What stands above a part, so that none of the same kind follows.
    private enum Kind {
        case all, any, not
    }

    private mutating func tree(depth: Int, below parent: Kind?) -> Match {
        guard depth > 0, !world.oneIn(3) else { return .test(test()) }
        let kind: Kind = world.choose([.all, .any, .not].filter { $0 != parent })
        let count = kind == .not ? 1 : world.choose(2...4)
        let parts = (0..<count).map { _ in tree(depth: depth - 1, below: kind) }
        return switch kind {
        case .all: .all(parts)
        case .any: .any(parts)
        case .not: .not(parts[0])
        }
    }

    /// Tests that go together, as in rules that people write.
    private mutating func sensible() -> Match {
        var tests: [Test] =
            switch world.below(7) {
            case 0: [.number(.protocol, [6...6]), number(.destinationPort)]
            case 1: [.number(.protocol, [17...17]), number(world.choose([.sourcePort, .destinationPort]))]
            case 2: [.number(.protocol, [6...6]), tcpFlags()]
            case 3: [number(.icmpType)]
            case 4: [number(.icmp6Type)]
            case 5: [.fragment(world.choose(FragmentKind.allCases))]
            default: []
            }
        if world.flip() { tests.append(address()) }
        if tests.isEmpty || world.oneIn(3) { tests.append(test()) }
        let parts = tests.map(Match.test)
        guard parts.count > 1 else { return parts[0] }
        guard world.oneIn(4) else { return .all(parts) }
        // "unless …"
        return .all(parts + [.not(.test(address()))])
    }

    // MARK: - Tests

    mutating func test() -> Test {
        switch world.below(20) {
        case 0..<4: address()
        case 4, 5: number(.sourcePort)
        case 6, 7: number(.destinationPort)
        case 8: number(.protocol)
        case 9, 10: numberOfAnyKind()
        case 11: .mac(world.choose(MACField.allCases), unique { $0.mac() })
        case 12: tcpFlags()
        case 13: .fragment(world.choose(FragmentKind.allCases))
        case 14 where !interfaces.isEmpty:
            .interface(unique { [interfaces] in $0.choose(["missing0"] + interfaces) })
        case 15 where hasByteTests: .bytes(byteTest())
        case 16...19 where !sets.isEmpty: member(of: world.choose(sets))
        default: numberOfAnyKind()
        }
    }

    private mutating func number(_ field: NumberField) -> Test {
        .number(field, world.ranges(field))
    }

    private mutating func numberOfAnyKind() -> Test {
        number(world.choose(NumberField.allCases.filter { $0 != .queue || hasQueues }))
    }

    private mutating func address() -> Test {
        .address(world.choose(AddressField.allCases), unique { $0.prefix() })
    }

    /// One to four different values.
    private mutating func unique<Value: Hashable>(_ make: (inout FilterWorld) -> Value) -> [Value] {
        var values: [Value] = []
        for _ in 0..<world.choose([1, 1, 2, 4]) {
            let value = make(&world)
            if !values.contains(value) { values.append(value) }
        }
        return values
    }

    private mutating func tcpFlags() -> Test {
        let mask: UInt8 = world.choose([2, 18, 4, 16, 1, 0x3f, 255, world.choose(1...255)])
        let value: UInt8 = world.choose([2, 18, mask, 0, world.choose(0...255)])
        return .tcpFlags(value: value & mask, mask: mask)
    }

    private mutating func byteTest() -> ByteTest {
        let count: UInt8 = world.choose([1, 1, 2, 2, 3, 4, 6, 8])
        let width = UInt64.max >> (64 - 8 * UInt64(count))
        let mask: UInt64 =
            world.flip() ? .max : max(world.choose([0xf0, 0xff, 0x1ff, world.choose(1...width)]) & width, 1)
        let value: UInt64 = world.choose([0, 1, 6, 17, 0x45, 0x0800, world.choose(0...width)]) & mask & width
        let offset: UInt16 = world.oneIn(10) ? world.choose(0...511) : world.choose(0...40)
        return ByteTest(
            world.choose(ByteTest.Base.allCases), offset: offset, count: count, mask: mask,
            world.choose(ByteTest.Comparison.allCases), value)
    }

    private mutating func member(of set: SetDeclaration) -> Test {
        let fields = set.kinds.map { kind -> SetField in
            switch kind {
            case .address, .prefix: .address(world.choose(AddressField.allCases))
            case .port: .number(world.choose([.sourcePort, .destinationPort]))
            case .protocol: .number(.protocol)
            case .vlan: .number(world.choose([.vlan, .innerVLAN]))
            case .mac: .mac(world.choose(MACField.allCases))
            case .interface: .interface
            }
        }
        return .member(of: set.name, fields)
    }
}
