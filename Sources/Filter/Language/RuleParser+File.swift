// SPDX-License-Identifier: Apache-2.0
import XDP

/// Files: statements at the top.
extension RuleParser {
    mutating func parseFile() {
        var hasRules = false
        while true {
            skipSeparators()
            if isDone { break }
            if token.kind == .closeBrace {
                report(mistake("there is nothing to close here"))
                advance()
                continue
            }
            do throws(RuleMistake) {
                switch word {
                case .set:
                    // A brace ends a statement, too.
                    if try !parseSet() { try endStatement("the end of the line") }
                case .counters:
                    try parseCounters()
                    try endStatement("the end of the line")
                case .group: try parseGroup()
                case .rules:
                    if hasRules { report(mistake("there are rules already", "keep one `rules { … }`")) }
                    hasRules = true
                    try parseRules()
                default: throw notAStatement()
                }
            } catch {
                report(error)
                recover()
                if token.kind == .closeBrace { advance() }
            }
        }
        if !hasRules, findings.isEmpty {
            report(mistake("there are no rules", "rules { … default pass }"))
        }
    }

    /// What was read, after names are looked up; nil where something is missing.
    mutating func finish() -> RuleSet? {
        guard findings.isEmpty else { return nil }
        for problem in RuleReferences.problems(in: ruleSet) {
            let place = problem.reference.flatMap { references[$0] } ?? problem.place
            report(RuleMistake(place: place, what: problem.what, remedy: problem.remedy))
        }
        return findings.isEmpty ? ruleSet : nil
    }

    private func notAStatement() -> RuleMistake {
        if let word, RuleWord.actions.contains(word) || word == .default {
            return mistake(
                "\(text) stands outside of rules", "put it into `rules { … }` or `group NAME { … }`")
        }
        if token.kind == .word, ["table", "chain", "add", "flush"].contains(text) {
            return mistake(
                "\(text) is nft's language",
                "sets can be carried over: xdpctl filter import nft-set FILE")
        }
        let words = ["set", "group", "rules", "counters"]
        let guess = token.kind == .word ? Spelling.guess(text, among: words) : nil
        return expected("set, group, rules or counters", guess)
    }

    private mutating func parseCounters() throws(RuleMistake) {
        advance()
        switch text {
        case "on": ruleSet.countsRules = true
        case "off": ruleSet.countsRules = false
        default: throw expected("on or off")
        }
        advance()
    }

    private mutating func parseGroup() throws(RuleMistake) {
        let place = token.place
        advance()
        let namePlace = token.place
        let name = try self.name(of: "group")
        if ruleSet.groups.contains(where: { $0.name == name }) {
            report(RuleMistake(place: namePlace, what: "there is a group \(name) already", remedy: nil))
        }
        if ruleSet.groups.count >= 4096 { throw mistake("there are more than 4096 groups") }
        var group = RuleGroup(name: name, rules: [], place: place)
        guard accept(.openBrace) else { throw expected("{ and the rules of the group") }
        while let rule = parseRuleLine(isGroup: true) { group.rules.append(rule) }
        ruleSet.groups.append(group)
        try closeBlock(opened: place, "group")
    }

    private mutating func parseRules() throws(RuleMistake) {
        let place = token.place
        advance()
        guard accept(.openBrace) else { throw expected("{ and the rules") }
        while let rule = parseRuleLine(isGroup: false) { ruleSet.rules.append(rule) }
        if word == .default {
            do throws(RuleMistake) { try parseDefault() } catch {
                report(error)
                recover()
            }
            skipSeparators()
            while token.kind == .word, !isDone, word.map(Self.statements.contains) != true || word == .default
            {
                report(mistake("this stands behind the default", "`default` is the last line of `rules`"))
                recover()
                skipSeparators()
            }
        } else if findings.isEmpty {
            report(
                mistake(
                    "it is not said what happens to packets that no rule decides",
                    "end the rules with `default pass` or `default drop`"))
        }
        try closeBlock(opened: place, "rules")
    }

    private mutating func parseDefault() throws(RuleMistake) {
        advance()
        ruleSet.policy = try verdict("pass, drop or abort")
        try endStatement("the end of the line; the default goes for every packet")
    }

    private mutating func closeBlock(opened place: SourcePlace, _ what: String) throws(RuleMistake) {
        guard accept(.closeBrace) else {
            // Everything further would be said in the wrong block.
            guard findings.isEmpty else { return }
            throw expected("a rule or }", "the { of \(what) in line \(place.line) is not closed")
        }
    }

    /// The next rule of a block; nil at its end.
    private mutating func parseRuleLine(isGroup: Bool) -> Rule? {
        while true {
            skipSeparators()
            guard token.kind != .closeBrace, !isDone else { return nil }
            if word == .default {
                guard isGroup else { return nil }
                report(
                    mistake(
                        "a group has no default", "behind its last rule a packet goes on after the jump"))
                recover()
                continue
            }
            // A forgotten brace.
            if let word, [.set, .group, .rules].contains(word) { return nil }
            do throws(RuleMistake) {
                let rule = try parseRule()
                try endStatement("the end of the rule")
                ruleCount += 1
                if ruleCount > RuleFile.mostRules {
                    throw mistake("there are more than \(RuleFile.mostRules) rules")
                }
                return rule
            } catch {
                report(error)
                recover()
            }
        }
    }

    /// A rule that stands alone.
    mutating func parseSingleRule(group: String?) -> Rule? {
        do throws(RuleMistake) {
            while token.kind == .newline { advance() }
            if word == .default {
                throw mistake("the default is no rule", "it is set in the file: xdpctl filter apply")
            }
            let rule = try parseRule()
            _ = accept(.semicolon)
            while token.kind == .newline { advance() }
            guard token.kind == .end else { throw expected("the end of the rule") }
            for problem in RuleReferences.problems(of: rule, in: group, of: ruleSet) {
                let place = problem.reference.flatMap { references[$0] } ?? problem.place
                report(RuleMistake(place: place, what: problem.what, remedy: problem.remedy))
            }
            return rule
        } catch {
            report(error)
            return nil
        }
    }

    /// `pass`, `drop` or `abort`.
    mutating func verdict(_ expectation: String) throws(RuleMistake) -> Verdict {
        let verdict: Verdict
        switch word {
        case .pass: verdict = .pass
        case .drop: verdict = .drop
        case .abort, .aborted: verdict = .aborted
        default:
            let advice = token.kind == .word ? RuleAdvice.action[text] : nil
            throw expected(expectation, advice)
        }
        advance()
        return verdict
    }
}
