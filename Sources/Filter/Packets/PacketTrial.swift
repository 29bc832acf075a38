// SPDX-License-Identifier: Apache-2.0
import XDP

/// Shows packets to rules without any interface, and counts what becomes of them.
public struct PacketTrial {
    /// So many packets, and their bytes.
    public struct Tally: Sendable, Hashable {
        public var packets: UInt64 = 0
        public var bytes: UInt64 = 0

        public init() {}

        mutating func add(_ length: UInt64) {
            packets += 1
            bytes += length
        }
    }

    public let rules: RuleSet
    /// By what decided, with each verdict that it gave: a limit has its own only beyond it.
    public private(set) var decided: [RuleID: Tally] = [:]
    /// All rules that matched, the policy where it decided.
    public private(set) var matched: [RuleID: Tally] = [:]
    public private(set) var verdicts: [Verdict: Tally] = [:]
    /// What may be wrong with the files of sets.
    public let warnings: [Finding]
    private var evaluator: Evaluator
    private let numbers: InterfaceNumbers

    /// Gives every name of an interface a number, since no interface needs to be there.
    private final class InterfaceNumbers {
        private(set) var known: [String: UInt32] = [:]
        private(set) var names: [UInt32: String] = [:]

        func number(of name: String) -> UInt32 {
            if let number = known[name] { return number }
            let number = UInt32(known.count + 1)
            known[name] = number
            names[number] = name
            return number
        }
    }

    /// - Parameter directory: where the files of sets begin that have no absolute path.
    public init(_ rules: RuleSet, directory: String) throws(XDPError) {
        self.rules = rules
        let numbers = InterfaceNumbers()
        for list in [rules.rules] + rules.groups.map(\.rules) {
            for rule in list {
                for name in rule.match.interfaceNames { _ = numbers.number(of: name) }
            }
        }
        var sets: [String: [SetElement]] = [:]
        var warnings: [Finding] = []
        for declaration in rules.sets {
            let contents = try SetSource(declaration, directory: directory).read {
                numbers.number(of: $0)
            }
            sets[declaration.name] = contents.elements { numbers.names[$0] }
            warnings += contents.warnings
        }
        self.warnings = warnings
        self.numbers = numbers
        evaluator = Evaluator(rules, sets: sets, interfaces: numbers.known)
    }

    /// What the rules say of a packet.
    ///
    /// - Parameter nanoseconds: when it comes in, counted from when the rules were applied.
    public mutating func show(_ packet: WrittenPacket, at nanoseconds: UInt64 = 0) -> Decision {
        show(
            PacketFields(
                packet: packet.bytes, length: packet.length, queue: packet.queue,
                interface: number(of: packet.interface)), of: packet.length ?? packet.bytes.count, nanoseconds
        )
    }

    /// What the rules say of a packet of a capture.
    public mutating func show(_ packet: CapturedPacket, at nanoseconds: UInt64) -> Decision {
        show(
            PacketFields(
                packet: packet.bytes, length: packet.length, queue: packet.queue ?? 0,
                interface: number(of: packet.interface)), of: packet.length, nanoseconds)
    }

    /// 0, which no rule means, for interfaces that no rule names.
    private func number(of interface: String?) -> UInt32 {
        interface.flatMap { numbers.known[$0] } ?? 0
    }

    private mutating func show(_ fields: PacketFields, of length: Int, _ nanoseconds: UInt64) -> Decision {
        let decision = evaluator.decide(fields, at: nanoseconds)
        let length = UInt64(max(length, 0))
        // A rule that is met twice, by way of two jumps, has seen one packet twice.
        for rule in decision.matched { matched[rule, default: Tally()].add(length) }
        decided[decision.rule, default: Tally()].add(length)
        verdicts[decision.verdict, default: Tally()].add(length)
        return decision
    }
}

extension Match {
    /// The interfaces that it names.
    var interfaceNames: [String] {
        switch self {
        case .always: []
        case .all(let parts), .any(let parts): parts.flatMap(\.interfaceNames)
        case .not(let part): part.interfaceNames
        case .test(.interface(let names)): names
        case .test: []
        }
    }
}
