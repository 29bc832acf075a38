// SPDX-License-Identifier: Apache-2.0
import XDP

/// Matches: tests that are joined.
extension RuleParser {
    /// `tests [unless tests]`; nothing means every packet.
    mutating func parseMatch() throws(RuleMistake) -> Match {
        var match = Match.always
        if !isMatchEnd { match = try disjunction(depth: 0) }
        if accept(.unless) {
            match = .joined([match, try disjunction(depth: 0).opposite])
            guard word != .unless else { throw mistake("there is an `unless` already", "unless A or B") }
        }
        return match
    }

    private var isMatchEnd: Bool {
        switch token.kind {
        case .newline, .semicolon, .closeBrace, .closeParenthesis, .end: true
        default: word?.endsMatch ?? false
        }
    }

    private mutating func disjunction(depth: Int) throws(RuleMistake) -> Match {
        let first = try conjunction(depth: depth)
        guard word == .or else { return first }
        var parts = [first]
        while accept(.or) {
            try countValue()
            parts.append(try conjunction(depth: depth))
        }
        return .either(parts)
    }

    private mutating func conjunction(depth: Int) throws(RuleMistake) -> Match {
        let first = try unary(depth: depth)
        guard !isMatchEnd else { return first }
        var parts = [first]
        while !isMatchEnd {
            _ = accept(.and)
            try countValue()
            parts.append(try unary(depth: depth))
        }
        return .joined(parts)
    }

    private mutating func unary(depth: Int) throws(RuleMistake) -> Match {
        guard depth < RuleFile.deepestNesting else {
            throw mistake("matches nest deeper than \(RuleFile.deepestNesting) levels")
        }
        if accept(RuleToken.Kind.not) || accept(RuleWord.not) { return try unary(depth: depth + 1).opposite }
        let place = token.place
        if openList(.openParenthesis) {
            let inner = try disjunction(depth: depth + 1)
            guard closeList(.closeParenthesis) else {
                throw expected(
                    ") or a further test", "the ( in line \(place.line), column \(place.column) is not closed"
                )
            }
            return inner
        }
        return try term()
    }

    private mutating func term() throws(RuleMistake) -> Match {
        if token.kind == .at { return try byteTest() }
        guard token.kind == .word else { throw unexpectedInMatch() }
        switch word {
        case .all:
            advance()
            return .always
        case .ip: return protocolTest([(.ipVersion, 4)])
        case .ip6: return protocolTest([(.ipVersion, 6)])
        case .arp: return protocolTest([(.etherType, 0x0806)])
        case .icmp: return try icmp(.icmpType, .icmpCode, version: 4, number: 1)
        case .icmpv6: return try icmp(.icmp6Type, .icmp6Code, version: 6, number: 58)
        case .syn:
            advance()
            return .test(.tcpFlags(value: 2, mask: 18))
        case .flags: return try tcpFlags()
        case .fragment:
            advance()
            return .test(.fragment(.any))
        case .first, .later:
            let kind: FragmentKind = word == .first ? .first : .later
            advance()
            guard accept(.fragment) else { throw expected("fragment") }
            return .test(.fragment(kind))
        default: break
        }
        if let field = try field() { return try comparison(of: field) }
        if let number = ProtocolNames.bareValues[text] { return protocolTest([(.protocol, number)]) }
        throw unexpectedInMatch()
    }

    private mutating func protocolTest(_ numbers: [(NumberField, UInt32)]) -> Match {
        advance()
        return .joined(numbers.map { .test(.number($0.0, [$0.1...$0.1])) })
    }

    /// `icmp`, `icmp type echo-request`, `icmp code 0`.
    private mutating func icmp(
        _ type: NumberField, _ code: NumberField, version: UInt32, number: UInt32
    ) throws(RuleMistake) -> Match {
        advance()
        var parts: [Match] = []
        while word == .type || word == .code {
            let field = word == .type ? type : code
            advance()
            parts.append(try comparison(of: .numbers([field])))
        }
        guard parts.isEmpty else { return .joined(parts) }
        return .joined([
            .test(.number(.ipVersion, [version...version])), .test(.number(.protocol, [number...number])),
        ])
    }

    /// `flags syn, rst`, `flags syn / syn, ack`, `flags != syn`.
    private mutating func tcpFlags() throws(RuleMistake) -> Match {
        advance()
        let isOpposite = accept(.notEqual)
        if !isOpposite { _ = accept(.equal) }
        let value = try flagList()
        let mask = accept(.slash) ? try flagList() : value
        let match = Match.test(.tcpFlags(value: value, mask: mask))
        // Flags that are there, and are others.
        return isOpposite ? .joined([.test(.tcpFlags(value: 0, mask: 0)), match.opposite]) : match
    }

    private mutating func flagList() throws(RuleMistake) -> UInt8 {
        let isBraced = openList(.openBrace)
        var flags: UInt8 = 0
        repeat {
            let name = text
            if token.kind == .word, name == "none" {
                advance()
                continue
            }
            guard token.kind == .word, let flag = TCPFlagNames.table.value(of: name) else {
                let names = TCPFlagNames.table.all
                let guess = token.kind == .word ? Spelling.guess(name, among: names) : nil
                throw expected("a flag", guess ?? (names + ["none"]).joined(separator: ", "))
            }
            flags |= UInt8(flag)
            advance()
        } while accept(.comma)
        if isBraced, !closeList(.closeBrace) { throw expected(", or }") }
        return flags
    }

    /// `@14,2 == 0x0800`, `@network+9,1 & 0x0f == 6`.
    private mutating func byteTest() throws(RuleMistake) -> Match {
        let example = "@14,2 == 0x0800 or @network+9,1 & 0x0f == 6"
        advance()
        guard token.kind == .word else { throw expected("a number, frame, network or transport", example) }
        var base = ByteTest.Base.frame
        if let named = ByteTest.Base(rawValue: text) {
            base = named
            advance()
            guard accept(.plus) else { throw expected("+ and an offset", example) }
        } else if Self.number(bytes) == nil {
            throw mistake(
                "@\(text) is no field", "sets are named behind a field: src in @\(text); bytes: \(example)")
        }
        let offset = try number(0...511, "as an offset")
        guard accept(.comma) else { throw expected(", and how many bytes", example) }
        let count = try number(1...8, "bytes")
        let largest = count == 8 ? UInt64.max : 1 << (count * 8) - 1
        let mask = accept(.ampersand) ? try number(0...UInt64.max, "as a mask") : .max
        let comparison: ByteTest.Comparison
        switch token.kind {
        case .equal: comparison = .equal
        case .notEqual: comparison = .notEqual
        case .less: comparison = .less
        case .lessOrEqual: comparison = .lessOrEqual
        case .greater: comparison = .greater
        case .greaterOrEqual: comparison = .greaterOrEqual
        default: throw expected("a comparison (==, !=, <, <=, >, >=)", example)
        }
        advance()
        let value = try number(0...largest, "in \(count) byte\(count == 1 ? "" : "s")")
        return .test(
            .bytes(
                ByteTest(
                    base, offset: UInt16(offset), count: UInt8(count), mask: mask, comparison, value)))
    }

    /// What is no test; also where a rule should have ended.
    func unexpectedInMatch() -> RuleMistake {
        guard token.kind == .word else { return expected("a test, or the end of the rule") }
        if listDepth > 0, let word, word == .default || RuleWord.actions.contains(word) {
            return expected(") or a further test", "there is a ( that is not closed")
        }
        if let advice = RuleAdvice.match[text] { return mistake("\(text) cannot be tested", advice) }
        if let service = ServiceNames.table.value(of: text) {
            return mistake("\(text) is a port and wants to know whose", "dport \(text) (that is \(service))")
        }
        if IPAddressText.isAddress(bytes) {
            return mistake("\(shown) stands alone", "say which address: src \(text), dst or host")
        }
        if Self.number(bytes) != nil {
            return mistake("the number \(shown) stands alone", "say of which field")
        }
        let guess = Spelling.guess(text, among: RuleWord.matchWords)
        return mistake("\(shown) is no test", guess ?? "Documentation/filter.md lists what can be tested")
    }

    /// One more value or test.
    mutating func countValue() throws(RuleMistake) {
        valueCount += 1
        if valueCount > RuleFile.mostValues {
            throw mistake(
                "there are more than \(RuleFile.mostValues) values",
                "lists of this size belong into files of their own: set NAME : prefix from \"FILE\"")
        }
    }
}
