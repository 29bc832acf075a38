// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// Rule sets with everything that the language has, the same one for the same seed:
///
///     let rules = RandomRuleSet.make(seed: 1)
///
/// They are as the parser would make them: `all` and `any` have at least two parts and none of their own kind, `not`
/// stands before no other `not`, and nothing is `always` but a whole match; jumps lead to later groups only.
public struct RandomRuleSet {
    /// How large, and with what.
    public struct Options: Sendable {
        public var rules = 0...20
        public var groups = 0...2
        public var rulesOfGroup = 0...5
        public var sets = 0...4
        public var elements = 0...12
        /// How deep `all`, `any` and `not` are nested in each other.
        public var depth = 3
        public var hasLimits = true
        public var hasLogs = true
        public var hasRedirects = true
        public var hasByteTests = true
        public var hasTuples = true
        public var hasTimeouts = true
        /// Whether rules ask for the queue, which a test run does not have.
        public var hasQueues = true
        /// The interfaces that matches, sets and redirects name; none: nothing does.
        public var interfaces = ["veth0", "eth1", "br-lan"]

        public init() {}

        /// Rules whose decision depends on nothing but the packet's bytes.
        public static var stateless: Options {
            var options = Options()
            options.hasLimits = false
            options.hasLogs = false
            options.hasTimeouts = false
            options.hasQueues = false
            return options
        }
    }

    private let options: Options
    var world: FilterWorld
    private var rules: RuleSet

    /// The rule set of a seed.
    public static func make(seed: UInt64, options: Options = Options()) -> RuleSet {
        var maker = RandomRuleSet(seed: seed, options: options)
        maker.addSets()
        maker.addRules()
        return maker.rules
    }

    private init(seed: UInt64, options: Options) {
        self.options = options
        world = FilterWorld(random: SeededGenerator(seed: seed))
        rules = RuleSet(policy: world.choose([.pass, .drop, .pass, .aborted]))
    }

    // MARK: - Sets

    private mutating func addSets() {
        for number in 0..<world.choose(options.sets) {
            let kinds = kinds()
            var set = SetDeclaration(name: "set-\(number)", kinds: kinds)
            if options.hasTimeouts, world.oneIn(4) {
                set.hasTimeouts = true
                set.timeout = world.flip() ? world.choose([1, 60, 3600, 90_000]) : nil
            }
            addElements(to: &set)
            if world.oneIn(5) { set.capacity = UInt32(set.elements.count) + world.choose(1...1000) }
            rules.sets.append(set)
        }
    }

    private mutating func kinds() -> [SetDeclaration.Kind] {
        let plain = SetDeclaration.Kind.allCases.filter { $0 != .interface || !options.interfaces.isEmpty }
        guard options.hasTuples, world.oneIn(3) else { return [world.choose(plain)] }
        return (0..<world.choose(2...4)).map { _ in world.choose(plain.filter { $0 != .prefix }) }
    }

    private mutating func addElements(to set: inout SetDeclaration) {
        for _ in 0..<world.choose(options.elements) {
            let isIPv6 = world.flip()
            var components = set.kinds.map {
                world.component($0, isIPv6: isIPv6, interfaces: options.interfaces)
            }
            if components.count == 1, case .numbers(let number) = components[0], world.oneIn(4) {
                let limit: UInt16 = set.kinds == [.port] ? 65_535 : set.kinds == [.vlan] ? 4095 : 255
                let end = min(UInt32(number.lowerBound) + world.choose(1...100), UInt32(limit))
                components = [.numbers(number.lowerBound...UInt16(end))]
            }
            guard !set.elements.contains(where: { overlaps($0.components, components) }) else { continue }
            let timeout: UInt64? = set.hasTimeouts && world.oneIn(3) ? world.choose([1, 30, 86_400]) : nil
            set.elements.append(SetElement(components, timeout: timeout))
        }
    }

    /// Whether two elements cannot stand in one list; networks within each other can.
    private func overlaps(_ one: [SetComponent], _ other: [SetComponent]) -> Bool {
        if one.count == 1, case .numbers(let first) = one[0], case .numbers(let second)? = other.first {
            return first.overlaps(second)
        }
        return one == other
    }

    // MARK: - Rules

    private mutating func addRules() {
        let groups = (0..<world.choose(options.groups)).map { "group-\($0)" }
        rules.rules = list(of: world.choose(options.rules), jumpingTo: groups)
        for (index, name) in groups.enumerated() {
            let list = list(
                of: world.choose(options.rulesOfGroup), jumpingTo: Array(groups.dropFirst(index + 1)))
            rules.groups.append(RuleGroup(name: name, rules: list))
        }
        rules.countsRules = !world.oneIn(4)
    }

    private mutating func list(of count: Int, jumpingTo groups: [String]) -> [Rule] {
        (0..<count).map { _ in
            Rule(
                action(groups), match(), counter: world.oneIn(8) ? world.choose(["blocked", "seen"]) : nil,
                comment: world.oneIn(10) ? world.choose(["why", "say \"no\"", "ünïcode # \\ }"]) : nil)
        }
    }

    private mutating func action(_ groups: [String]) -> Action {
        if !groups.isEmpty, world.oneIn(5) { return .jump(group: world.choose(groups)) }
        switch world.below(12) {
        case 0 where options.hasLimits: return .limit(limit())
        case 1 where options.hasLogs: return .log(log())
        case 2 where options.hasRedirects && !options.interfaces.isEmpty:
            return .redirect(interface: world.choose(options.interfaces))
        case 3: return .count
        case 4: return .decide(world.choose([.aborted, .tx]))
        case 5...7: return .decide(.pass)
        default: return .decide(.drop)
        }
    }

    private mutating func limit() -> Limit {
        let unit = world.choose(Rate.Unit.allCases)
        let rate = Rate(
            world.choose([1, 2, 3, 7, 10, 1000, 1_000_000]), unit, per: world.choose(Rate.Period.allCases))
        let bits4: UInt8 = world.choose([1, 16, 24, 32])
        let bits6: UInt8 = world.choose([1, 48, 64, 128])
        return Limit(
            rate: rate,
            scope: world.choose([
                .rule, .source(bits4: bits4, bits6: bits6), .destination(bits4: bits4, bits6: bits6),
            ]),
            burst: unit == .bytes
                ? world.choose([1500, Limit.standardByteBurst, 1_000_000])
                : world.choose([1, 2, Limit.standardBurst, 20]),
            excess: world.choose([.drop, .drop, .aborted, .pass]))
    }

    private mutating func log() -> LogSettings {
        LogSettings(
            atMost: world.flip()
                ? LogSettings.standardRate
                : Rate(world.choose(1...50), per: world.choose(Rate.Period.allCases)),
            sample: world.choose([1, 1, 2, 100]), prefix: world.choose(["", "telnet", "two \"words\""]),
            snapLength: world.choose([LogSettings.standardSnapLength, 14, 64, 1500]))
    }

    private mutating func match() -> Match {
        var maker = RandomMatch(
            world: world, sets: rules.sets, interfaces: options.interfaces,
            hasByteTests: options.hasByteTests,
            hasQueues: options.hasQueues)
        defer { world = maker.world }
        return maker.match(depth: options.depth)
    }
}
