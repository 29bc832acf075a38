// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink
import TestSupport

/// Random rule sets with everything that can be written, sensible or not.
struct RandomRuleText {
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
    private mutating func some<T>(_ bound: Int, _ make: (inout Self) -> T) -> [T] {
        (0...below(bound)).map { _ in make(&self) }
    }

    static let kinds: [[SetDeclaration.Kind]] = [
        [.address], [.prefix], [.port], [.protocol], [.mac], [.vlan], [.interface], [.address, .port],
        [.address, .protocol, .port], [.mac, .vlan, .interface],
    ]

    mutating func ruleSet() -> RuleSet {
        var rules = RuleSet(policy: pick([.drop, .pass, .aborted]))
        rules.countsRules = below(4) > 0
        rules.sets = Self.kinds.enumerated().map { set("set\($0)", $1) }
        rules.groups = (0..<below(3)).map { index in
            RuleGroup(name: "group-\(index)", rules: some(4) { $0.rule(groups: index) })
        }
        let groups = rules.groups.count
        rules.rules = some(10) { $0.rule(groups: groups) }
        return rules
    }

    private mutating func set(_ name: String, _ kinds: [SetDeclaration.Kind]) -> SetDeclaration {
        var elements: [SetElement] = []
        for _ in 0..<below(7) {
            elements.append(SetElement(kinds.map { component($0, single: kinds.count > 1) }))
            if below(4) == 0 { elements[elements.count - 1].timeout = UInt64(1 + below(1_000_000)) }
        }
        return SetDeclaration(
            name: name, kinds: kinds, elements: elements, file: below(3) == 0 ? text() + "x" : nil,
            timeout: below(3) == 0 ? UInt64(1 + below(100_000)) : nil,
            hasTimeouts: elements.contains { $0.timeout != nil } || below(2) == 0,
            capacity: below(2) == 0 ? UInt32(1 + below(1000)) : nil)
    }

    private mutating func component(_ kind: SetDeclaration.Kind, single: Bool) -> SetComponent {
        switch kind {
        case .address: return .address(network().address)
        case .prefix: return .prefix(network())
        case .mac: return .mac(mac())
        case .interface: return .interface(name())
        case .port, .protocol, .vlan:
            let low = below(kind == .port ? 65_536 : kind == .vlan ? 4096 : 256)
            let high = single ? low : min(low + below(3), kind == .port ? 65_535 : kind == .vlan ? 4095 : 255)
            return .numbers(UInt16(low)...UInt16(high))
        }
    }

    private mutating func network() -> IPPrefix {
        let bytes = (0..<(below(2) == 0 ? 4 : 16)).map { _ in UInt8(below(256)) }
        let address = IPAddress(bytes: bytes) ?? IPAddress(0, 0, 0, 0)
        return IPPrefix(address, length: below(address.bytes.count * 8 + 1)) ?? IPPrefix(address)
    }

    private mutating func mac() -> MACAddress { MACAddress(value: random.next()) }
    private mutating func name() -> String {
        pick(["eth0", "lo", "to", "br-lan", "eth0.5", "a@b", "7x", "é"])
    }
    private mutating func text() -> String {
        pick(["", "a", "two words", "\"", "\\", "ü\n\t\u{1}", "#", "{ ; }"])
    }

    private mutating func rule(groups: Int) -> Rule {
        Rule(
            action(groups: groups), match(depth: 0), counter: below(4) == 0 ? "c" + text() : nil,
            comment: below(4) == 0 ? text() : nil)
    }

    private mutating func rate(_ unit: Rate.Unit) -> Rate {
        let amount = pick([1, 7, 1000, 1024, 125_000, 1_250_000, 1 << 30, 1_000_000_000, UInt64.max])
        return Rate(amount, unit, per: pick(Rate.Period.allCases))
    }

    private mutating func action(groups: Int) -> Action {
        switch below(groups > 0 ? 7 : 6) {
        case 0: return .decide(pick([.drop, .pass, .aborted, .tx]))
        case 1: return .redirect(interface: name())
        case 2:
            let (bits4, bits6) = (UInt8(below(33)), UInt8(below(129)))
            let unit = pick(Rate.Unit.allCases)
            return .limit(
                Limit(
                    rate: rate(unit),
                    scope: pick([
                        .rule, .source(bits4: bits4, bits6: bits6), .destination(bits4: 32, bits6: 128),
                    ]),
                    burst: pick([1, Limit.standardBurst, Limit.standardByteBurst, 1_000_000]),
                    excess: pick([.drop, .pass, .aborted])))
        case 3:
            return .log(
                LogSettings(
                    atMost: pick([LogSettings.standardRate, rate(.packets)]), sample: pick([1, 1, 100]),
                    prefix: text(), snapLength: pick([0, 128, 65_535])))
        case 4: return .count
        case 6: return .jump(group: "group-\(below(groups))")
        default: return .decide(.drop)
        }
    }

    private mutating func match(depth: Int) -> Match {
        switch below(depth < 4 ? 8 : 4) {
        case 0: return below(3) == 0 ? .always : .test(test())
        case 4: return .not(match(depth: depth + 1))
        case 5: return .all(some(4) { $0.match(depth: depth + 1) })
        case 6: return .any(some(4) { $0.match(depth: depth + 1) })
        case 7: return pair()
        default: return .test(test())
        }
    }

    /// What is written with one word.
    private mutating func pair() -> Match {
        let networks = some(3) { $0.network() }
        let both = ranges(.sourcePort)
        switch below(7) {
        case 0: return .any([.test(.number(.sourcePort, both)), .test(.number(.destinationPort, both))])
        case 1: return .any([.test(.address(.source, networks)), .test(.address(.destination, networks))])
        case 2:
            return .all([
                .test(.number(.ipVersion, [4...4, 6...6])), .not(.test(.address(.source, networks))),
            ])
        case 3: return .all([.test(.number(.ipVersion, [4...4])), .test(.number(.protocol, [1...1]))])
        case 4: return .all([.test(.number(.icmpType, [8...8])), .test(.number(.icmpCode, [0...0]))])
        case 5:
            return .all([
                .test(.tcpFlags(value: 0, mask: 0)), .not(.test(.tcpFlags(value: 2, mask: 18))),
            ])
        default:
            return .all([.test(.number(.etherType, [0...65_535])), .not(.test(.mac(.source, [mac()])))])
        }
    }

    private mutating func ranges(_ field: NumberField) -> [ClosedRange<UInt32>] {
        var next: UInt32 = 0
        var ranges: [ClosedRange<UInt32>] = []
        repeat {
            let low = next + (below(3) == 0 ? 0 : UInt32(below(Int(field.maximum - next) + 1)))
            let high =
                below(3) == 0 ? field.maximum : low + UInt32(below(min(3, Int(field.maximum - low) + 1)))
            ranges.append(low...high)
            next = high + 2
        } while below(2) == 0 && next <= field.maximum
        return ranges
    }

    private mutating func test() -> Test {
        let field = pick(NumberField.allCases)
        switch below(8) {
        case 0: return .address(pick(AddressField.allCases), some(3) { $0.network() })
        case 1: return .mac(pick(MACField.allCases), some(3) { $0.mac() })
        case 2: return .tcpFlags(value: UInt8(below(256)), mask: UInt8(below(256)))
        case 3: return .fragment(pick(FragmentKind.allCases))
        case 4: return .interface(some(3) { $0.name() })
        case 5:
            let count = 1 + below(8)
            return .bytes(
                ByteTest(
                    pick(ByteTest.Base.allCases), offset: UInt16(below(512)), count: UInt8(count),
                    mask: pick([.max, 0xff, random.next()]), pick(ByteTest.Comparison.allCases),
                    random.next() >> (64 - UInt64(count) * 8)))
        case 6:
            let index = below(Self.kinds.count)
            return .member(of: "set\(index)", Self.kinds[index].map { component in setField(component) })
        default: return .number(field, ranges(field))
        }
    }

    private mutating func setField(_ kind: SetDeclaration.Kind) -> SetField {
        switch kind {
        case .address, .prefix: .address(pick(AddressField.allCases))
        case .port: .number(pick([.sourcePort, .destinationPort]))
        case .protocol: .number(.protocol)
        case .mac: .mac(pick(MACField.allCases))
        case .vlan: .number(pick([.vlan, .innerVLAN]))
        case .interface: .interface
        }
    }
}
