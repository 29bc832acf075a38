// SPDX-License-Identifier: Apache-2.0

/// Whether rules are so few that asking one after the other is quicker than tables.
struct StraightChoice {
    private var cost = 0
    private var members: [Match: Int] = [:]
    private let steps: Int

    init(_ steps: [Step]) {
        self.steps = steps.count
        guard steps.count <= Self.stepLimit else { return }
        for step in steps {
            switch step {
            case .rule(let rule, _): add(rule.match)
            case .run(let run): cost += 1 + run.common.keys.count
            }
        }
    }

    private static let stepLimit = 10
    /// Questions to a packet that meets all rules.
    private static let costLimit = 24

    var isStraight: Bool {
        // A lookup that several rules ask for is done once where there are tables.
        steps <= Self.stepLimit && cost <= Self.costLimit && !members.values.contains { $0 > 1 }
    }

    private mutating func add(_ match: Match) {
        switch match {
        case .always: break
        case .not(let part): add(part)
        case .all(let parts), .any(let parts): for part in parts { add(part) }
        case .test(let test):
            cost += 1
            switch test {
            case .member: members[match, default: 0] += 1
            case .address(_, let networks): cost += min(networks.count / 4, 8)
            case .number(_, let ranges): cost += ranges.count / 4
            default: break
            }
        }
    }
}
