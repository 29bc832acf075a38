// SPDX-License-Identifier: Apache-2.0
import XDP

/// What can be said of a rule set without any packet.
public enum RuleChecks {
    /// Whether the names in a rule set that no file was read for are there and fit; files are checked while they
    /// are read.
    public static func errors(in ruleSet: RuleSet, file: String = "rules") -> XDPError? {
        let problems = RuleReferences.problems(in: ruleSet)
        guard !problems.isEmpty else { return nil }
        return RuleFile.error(
            problems.map {
                Finding(
                    .invalid, file: file, line: $0.place.line > 0 ? $0.place.line : nil,
                    column: $0.place.line > 0 ? $0.place.column : nil, $0.what, remedy: $0.remedy)
            }, file: file)
    }

    /// Rules that can never match or are never reached, elements that others cover, names that nobody uses; in
    /// the order of the file.
    public static func warnings(in ruleSet: RuleSet) -> [RuleWarning] {
        var warnings = ruleSet.sets.flatMap(SetOverlap.warnings)
        for group in ruleSet.groups { warnings += check(group.rules, in: ruleSet) }
        warnings += check(ruleSet.rules, in: ruleSet)
        warnings += unused(in: ruleSet)
        return warnings.enumerated().sorted { left, right in
            let (a, b) = (left.element.place, right.element.place)
            return (a.line, a.column, left.offset) < (b.line, b.column, right.offset)
        }.map(\.element)
    }

    /// Rules that are met one after the other.
    private static func check(_ rules: [Rule], in ruleSet: RuleSet) -> [RuleWarning] {
        var warnings: [RuleWarning] = []
        var coverage = RuleCoverage()
        var seen: [Rule: Int] = [:]
        for (index, rule) in rules.enumerated() {
            let match = rule.match.normalized
            let region = MatchRegion(match)
            if region.isEmpty {
                warnings.append(
                    RuleWarning(
                        kind: .neverMatches, place: rule.place, what: "no packet can match this rule",
                        remedy: "its tests exclude each other"))
                continue
            }
            if let earlier = coverage.cover(of: region) {
                warnings.append(unreachable(rule, behind: rules[earlier]))
                // The rest behind a rule that decides about everything needs no words of its own.
                if rules[earlier].match.normalized == .always { return warnings }
                continue
            }
            if let earlier = seen[rule] {
                warnings.append(
                    RuleWarning(
                        kind: .duplicate, place: rule.place,
                        what: "the same rule stands \(place(of: rules[earlier]))",
                        remedy: "packets would meet both of them; take one away"))
            }
            seen[rule] = index
            if rule.action == .count, !ruleSet.countsRules, rule.counter == nil {
                warnings.append(
                    RuleWarning(
                        kind: .noEffect, place: rule.place, what: "this rule counts nowhere",
                        remedy: "with `counters off` only rules with a counter count: counter \"name\""))
            }
            switch rule.action {
            case .decide, .redirect: coverage.insert(index, match)
            case .jump, .limit, .log, .count: break
            }
        }
        return warnings
    }

    private static func unreachable(_ rule: Rule, behind earlier: Rule) -> RuleWarning {
        if earlier.match.normalized == .always {
            return RuleWarning(
                kind: .unreachable, place: rule.place,
                what: "no packet gets here: the rule \(place(of: earlier)) decides about all of them",
                remedy: "this goes for all rules behind it, too")
        }
        return RuleWarning(
            kind: .unreachable, place: rule.place,
            what: "no packet gets here: the rule \(place(of: earlier)) decides about all that match",
            remedy: earlier.action == rule.action
                ? "it does the same, so this one can go" : "the rule for fewer packets stands first")
    }

    private static func place(of rule: Rule) -> String {
        rule.place.line > 0 ? "in line \(rule.place.line)" : "`\(rule.text)`"
    }

    // MARK: Names

    private static func unused(in ruleSet: RuleSet) -> [RuleWarning] {
        var sets: Set<String> = []
        var groups: Set<String> = []
        for rule in ruleSet.rules + ruleSet.groups.flatMap(\.rules) {
            if case .jump(let group) = rule.action { groups.insert(group) }
            collect(rule.match, into: &sets)
        }
        let unusedSets = ruleSet.sets.filter { !sets.contains($0.name) }.map {
            RuleWarning(kind: .unused, place: $0.place, what: "no rule names the set \($0.name)", remedy: nil)
        }
        let unusedGroups = ruleSet.groups.filter { !groups.contains($0.name) }.map {
            RuleWarning(
                kind: .unused, place: $0.place, what: "no rule jumps to the group \($0.name)",
                remedy: "jump \($0.name)")
        }
        return unusedSets + unusedGroups
    }

    private static func collect(_ match: Match, into sets: inout Set<String>) {
        switch match {
        case .all(let parts), .any(let parts): for part in parts { collect(part, into: &sets) }
        case .not(let inner): collect(inner, into: &sets)
        case .test(.member(let set, _)): sets.insert(set)
        case .always, .test: break
        }
    }
}
