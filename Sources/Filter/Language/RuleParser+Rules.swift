// SPDX-License-Identifier: Apache-2.0
import XDP

/// Rules: an action, a match, and what belongs to them.
extension RuleParser {
    mutating func parseRule() throws(RuleMistake) -> Rule {
        rulePlace = token.place
        listDepth = 0
        guard let action = word, RuleWord.actions.contains(action) else { throw notAnAction() }
        advance()
        switch action {
        case .drop: return try finishRule(.decide(.drop))
        case .pass: return try finishRule(.decide(.pass))
        case .abort, .aborted: return try finishRule(.decide(.aborted))
        case .tx: return try finishRule(.decide(.tx))
        case .redirect:
            guard accept(.to) else { throw expected("to and an interface: redirect to eth1") }
            return try finishRule(.redirect(interface: interfaceName()))
        case .jump:
            _ = accept(.to)
            let place = token.place
            let group = try name(of: "group")
            references[RuleReference(.group, group, in: rulePlace)] = place
            return try finishRule(.jump(group: group))
        case .limit: return try parseLimit()
        case .log: return try parseLog(sample: 1)
        case .sample: return try parseLog(sample: sampleNumber())
        default: return try finishRule(.count)
        }
    }

    private func notAnAction() -> RuleMistake {
        guard token.kind == .word else { return expected("an action: drop, pass, limit, log, …") }
        if let advice = RuleAdvice.action[text] { return mistake("\(text) is no action", advice) }
        let actions = [
            "drop", "pass", "abort", "tx", "redirect", "jump", "limit", "log", "sample", "count", "default",
        ]
        let guess = Spelling.guess(text, among: actions)
        return mistake("\(shown) is no action", guess ?? "expected \(actions.joined(separator: ", "))")
    }

    /// The match, and counter and comment.
    private mutating func finishRule(_ action: Action) throws(RuleMistake) -> Rule {
        var rule = Rule(action, try parseMatch(), place: rulePlace)
        while !isStatementEnd { try parseTrailer(&rule) }
        return rule
    }

    /// `counter "name"` or `comment "text"`.
    private mutating func parseTrailer(_ rule: inout Rule) throws(RuleMistake) {
        switch word {
        case .counter:
            advance()
            guard rule.counter == nil else { throw mistake("there is a counter already") }
            let place = token.place
            let name = try stringOrWord("the name of a counter")
            guard !name.isEmpty, name.utf8.count <= 64 else {
                throw RuleMistake(place: place, what: "a counter's name has 1 to 64 bytes", remedy: nil)
            }
            rule.counter = name
        case .comment:
            advance()
            guard rule.comment == nil else { throw mistake("there is a comment already") }
            rule.comment = try string("a comment")
        default: throw notATrailer(of: rule.action)
        }
    }

    private func notATrailer(of action: Action) -> RuleMistake {
        switch word {
        case .to, .per, .burst, .else:
            return mistake(
                "\(text) belongs to `limit`", "limit MATCH to 10/second per src burst 20 else drop")
        case .at, .sample, .prefix, .snap:
            return mistake(
                "\(text) belongs to `log`", "log MATCH at most 5/second sample 1/100 prefix \"text\"")
        default: return unexpectedInMatch()
        }
    }

    // MARK: Limits

    private mutating func parseLimit() throws(RuleMistake) -> Rule {
        var rule = Rule(.count, try parseMatch(), place: rulePlace)
        guard accept(.to) else { throw expected("to and a rate: to 10/second") }
        let rate = try self.rate()
        var limit = Limit(
            rate: rate,
            burst: rate.unit == .packets ? Limit.standardBurst : Limit.standardByteBurst)
        var seen: Set<RuleWord> = []
        while !isStatementEnd {
            if let word, [.per, .burst, .else].contains(word), !seen.insert(word).inserted {
                throw mistake("\(text) is there already")
            }
            switch word {
            case .per:
                advance()
                limit.scope = try scope()
            case .burst:
                advance()
                limit.burst = try burst(of: rate.unit)
            case .else:
                advance()
                limit.excess = try verdict("what packets beyond the limit get: drop, pass or abort")
            default: try parseTrailer(&rule)
            }
        }
        rule.action = .limit(limit)
        return rule
    }

    private mutating func scope() throws(RuleMistake) -> Limit.Scope {
        switch word {
        case .src:
            advance()
            let (bits4, bits6) = try scopeBits()
            return .source(bits4: bits4, bits6: bits6)
        case .dst:
            advance()
            let (bits4, bits6) = try scopeBits()
            return .destination(bits4: bits4, bits6: bits6)
        default:
            guard token.kind == .word, text == "rule" else { throw expected("src, dst or rule") }
            advance()
            return .rule
        }
    }

    /// `/24` or `/24,64`; without it single addresses.
    private mutating func scopeBits() throws(RuleMistake) -> (UInt8, UInt8) {
        guard accept(.slash) else { return (32, 128) }
        let bits4 = try number(
            0...32, "bits of IPv4's address", hint: "for IPv6 write both: /32,64")
        guard accept(.comma) else { return (UInt8(bits4), 128) }
        return (UInt8(bits4), UInt8(try number(0...128, "bits of IPv6's address")))
    }

    private mutating func burst(of unit: Rate.Unit) throws(RuleMistake) -> UInt64 {
        let place = token.place
        var amount = try quantity(defaultUnit: unit)
        if amount.isBits {
            throw RuleMistake(place: place, what: "a burst has no bits", remedy: "write bytes")
        }
        if unit == .bytes, !amount.hasUnit { amount.unit = .bytes }
        guard amount.unit == unit else {
            throw RuleMistake(
                place: place, what: "the burst is in \(amount.unit), the rate in \(unit)", remedy: nil)
        }
        guard amount.value >= 1 else {
            throw RuleMistake(place: place, what: "a burst is at least 1", remedy: nil)
        }
        return amount.value
    }

    // MARK: Logs

    private mutating func parseLog(sample: UInt32) throws(RuleMistake) -> Rule {
        var settings = LogSettings(sample: sample)
        var rule = Rule(.count, try parseMatch(), place: rulePlace)
        var seen: Set<RuleWord> = sample == 1 ? [] : [.sample]
        while !isStatementEnd {
            if let word, [.at, .sample, .prefix, .snap].contains(word), !seen.insert(word).inserted {
                throw mistake("\(text) is there already")
            }
            switch word {
            case .at:
                advance()
                guard token.kind == .word, text == "most" else {
                    throw expected("most and a rate: at most 5/second")
                }
                advance()
                let place = token.place
                settings.atMost = try rate()
                guard settings.atMost.unit == .packets else {
                    throw RuleMistake(place: place, what: "reports are counted, not their bytes", remedy: nil)
                }
            case .sample:
                advance()
                settings.sample = try sampleNumber()
            case .prefix:
                advance()
                let place = token.place
                settings.prefix = try string("a prefix")
                guard settings.prefix.utf8.count <= 64 else {
                    throw RuleMistake(place: place, what: "a prefix has at most 64 bytes", remedy: nil)
                }
            case .snap:
                advance()
                settings.snapLength = UInt16(try number(0...65_535, "bytes"))
            default: try parseTrailer(&rule)
            }
        }
        rule.action = .log(settings)
        return rule
    }

    /// `1/100`.
    private mutating func sampleNumber() throws(RuleMistake) -> UInt32 {
        guard token.kind == .word, text == "1" else { throw expected("one of how many: sample 1/100") }
        advance()
        guard accept(.slash) else { throw expected("/ and a number: sample 1/100") }
        return UInt32(try number(1...UInt64(UInt32.max), "packets"))
    }
}
