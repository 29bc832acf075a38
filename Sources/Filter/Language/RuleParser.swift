// SPDX-License-Identifier: Apache-2.0
import XDP

/// What is wrong at a place; ends the reading of a statement.
struct RuleMistake: Error {
    var place: SourcePlace
    var what: String
    var remedy: String?
}

/// Reads tokens and makes rules and sets of them; goes on behind a mistake with the next statement.
struct RuleParser {
    private var lexer: RuleLexer
    /// The token that is looked at.
    private(set) var token: RuleToken
    /// The keyword that it is.
    private(set) var word: RuleWord?
    /// Within how many braces or parentheses lines end without a meaning.
    var listDepth = 0
    private(set) var findings: [Finding] = []
    /// Values of lists up to here.
    var valueCount = 0
    var ruleCount = 0

    var ruleSet = RuleSet(policy: .pass)
    /// Where the words are that name sets and groups, by the rule's place.
    var references: [RuleReference: SourcePlace] = [:]
    /// Where the rule begins that is being read.
    var rulePlace = SourcePlace.none

    init(_ bytes: [UInt8]) {
        lexer = RuleLexer(bytes)
        token = RuleToken(kind: .end, start: 0, end: 0, place: .none)
        advance()
    }

    // MARK: Tokens

    mutating func advance() {
        repeat { token = lexer.next() } while listDepth > 0 && token.kind == .newline
        word = token.kind == .word ? RuleWord(lexer.bytes[token.start..<token.end]) : nil
    }

    /// The next token but one, and the word that it is.
    func peek() -> (token: RuleToken, word: RuleWord?) {
        var ahead = lexer
        var next: RuleToken
        repeat { next = ahead.next() } while listDepth > 0 && next.kind == .newline
        return (next, next.kind == .word ? RuleWord(lexer.bytes[next.start..<next.end]) : nil)
    }

    /// The bytes of the token.
    var bytes: ArraySlice<UInt8> { lexer.bytes[token.start..<token.end] }

    /// The token as text.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// How the token is called in messages.
    var shown: String {
        switch token.kind {
        case .newline: return "the end of the line"
        case .end: return "the end of the file"
        case .string: return "the text \(text.prefix(40))"
        default:
            let text = self.text
            return text.utf8.count > 40 ? "\(text.prefix(40))…" : text
        }
    }

    func mistake(_ what: String, _ remedy: String? = nil) -> RuleMistake {
        RuleMistake(place: token.place, what: what, remedy: remedy)
    }

    /// "expected X, found Y".
    func expected(_ what: String, _ remedy: String? = nil) -> RuleMistake {
        mistake("expected \(what), found \(shown)", remedy)
    }

    mutating func report(_ mistake: RuleMistake) {
        guard findings.count < RuleFile.mostFindings else { return }
        findings.append(
            Finding(
                .invalid, file: "", line: mistake.place.line, column: mistake.place.column, mistake.what,
                remedy: mistake.remedy))
    }

    /// Whether reading on makes sense.
    var isDone: Bool { token.kind == .end || findings.count >= RuleFile.mostFindings }

    mutating func accept(_ kind: RuleToken.Kind) -> Bool {
        guard token.kind == kind else { return false }
        advance()
        return true
    }

    mutating func accept(_ expected: RuleWord) -> Bool {
        guard word == expected else { return false }
        advance()
        return true
    }

    /// Opens braces or parentheses within which lines do not matter.
    mutating func openList(_ kind: RuleToken.Kind) -> Bool {
        guard token.kind == kind else { return false }
        listDepth += 1
        advance()
        return true
    }

    mutating func closeList(_ kind: RuleToken.Kind) -> Bool {
        guard token.kind == kind else { return false }
        listDepth -= 1
        advance()
        return true
    }

    mutating func skipSeparators() {
        while token.kind == .newline || token.kind == .semicolon { advance() }
    }

    /// Whether a statement ends here.
    var isStatementEnd: Bool {
        switch token.kind {
        case .newline, .semicolon, .closeBrace, .end: true
        default: false
        }
    }

    mutating func endStatement(_ expectation: String) throws(RuleMistake) {
        guard isStatementEnd else { throw expected(expectation) }
    }

    /// To the end of the statement that holds a mistake: of the line, or of a list that goes on over lines.
    mutating func recover() {
        var depth = listDepth
        listDepth = 0
        while token.kind != .end {
            switch token.kind {
            case .openBrace, .openParenthesis: depth += 1
            case .closeBrace, .closeParenthesis:
                if depth == 0 { return }
                depth -= 1
            case .semicolon where depth == 0: return
            case .newline:
                if depth == 0 { return }
                // Perhaps it was the brace that is missing: a statement begins a line.
                while token.kind == .newline { advance() }
                if let word, RuleWord.actions.contains(word) || Self.statements.contains(word) { return }
                continue
            default: break
            }
            advance()
        }
    }

    static let statements: Set<RuleWord> = [.set, .rules, .group, .default]

    // MARK: Names and texts

    /// Letters, digits, `_` and `-`, a letter first; at most 32.
    mutating func name(of what: String) throws(RuleMistake) -> String {
        guard token.kind == .word else { throw expected("the name of a \(what)") }
        let letters = bytes
        let isName =
            letters.count <= 32 && letters.first.map(Self.isLetter) ?? false
            && letters.allSatisfy { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: ":") }
        guard isName else {
            throw mistake(
                "\(shown) cannot be the name of a \(what)",
                "a name has letters, digits, _ and -, begins with a letter, and has at most 32 of them")
        }
        defer { advance() }
        return text
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
    }

    /// What is between quotes.
    mutating func string(_ what: String) throws(RuleMistake) -> String {
        guard token.kind == .string else {
            if token.kind == .unknown, bytes.first == UInt8(ascii: "\"") {
                throw mistake("the closing quote is missing")
            }
            throw expected("\(what) in quotes")
        }
        var result: [UInt8] = []
        var rest = bytes.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\")?: result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "\"")?: result.append(UInt8(ascii: "\""))
            case UInt8(ascii: "n")?: result.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t")?: result.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "x")?:
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let byte = UInt8(digits, radix: 16) else {
                    throw mistake("\\x wants two hexadecimal digits")
                }
                rest = rest.dropFirst(2)
                result.append(byte)
            default:
                throw mistake("a backslash stands before \\, \", n, t or x", "write \\\\ for a backslash")
            }
        }
        guard let text = String(validating: result, as: UTF8.self) else {
            throw mistake("the text is not UTF-8")
        }
        advance()
        return text
    }

    /// In quotes, or one word.
    mutating func stringOrWord(_ what: String) throws(RuleMistake) -> String {
        guard token.kind == .word else { return try string(what) }
        defer { advance() }
        return text
    }
}

/// A name in a rule.
struct RuleReference: Hashable {
    enum Kind { case set, group }

    var kind: Kind
    var name: String
    var line: Int
    var column: Int

    init(_ kind: Kind, _ name: String, in rule: SourcePlace) {
        self.kind = kind
        self.name = name
        line = rule.line
        column = rule.column
    }
}
