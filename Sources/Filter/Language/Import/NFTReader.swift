// SPDX-License-Identifier: Apache-2.0

/// Cuts nft's listings into statements and elements.
struct NFTReader {
    private var lexer: RuleLexer
    private(set) var token: RuleToken

    init(_ bytes: [UInt8]) {
        lexer = RuleLexer(bytes)
        token = lexer.next()
    }

    /// An element of a set, in our language.
    struct Element {
        var text: String
        var line: Int
        /// In seconds: what is left of it, or all of it.
        var timeout: UInt64?
        var hasComment = false
    }

    mutating func advance() { token = lexer.next() }

    var text: String { String(decoding: lexer.bytes[token.start..<token.end], as: UTF8.self) }
    /// The token as text, if it is a word.
    var word: String? { token.kind == .word ? text : nil }

    /// Words and dots up to the end of the statement.
    mutating func statement() -> [String] {
        var words: [String] = []
        while true {
            switch token.kind {
            case .newline, .semicolon:
                advance()
                return words
            case .closeBrace, .openBrace, .end: return words
            case .word, .dot: words.append(text)
            default: break
            }
            advance()
        }
    }

    /// Past the next block with all that is in it; nothing where none begins here.
    mutating func skipBlock() {
        guard token.kind == .openBrace else { return }
        var depth = 0
        repeat {
            if token.kind == .openBrace { depth += 1 }
            if token.kind == .closeBrace { depth -= 1 }
            advance()
        } while depth > 0 && token.kind != .end
    }

    /// `= { element, … }`.
    mutating func elements() -> [Element] {
        while token.kind == .equal || token.kind == .newline { advance() }
        guard token.kind == .openBrace else { return [] }
        advance()
        var elements: [Element] = []
        while token.kind != .closeBrace, token.kind != .end {
            if token.kind == .comma || token.kind == .newline {
                advance()
            } else {
                elements.append(element())
            }
        }
        advance()
        return elements
    }

    private mutating func element() -> Element {
        var element = Element(text: "", line: token.place.line)
        while true {
            switch token.kind {
            case .comma, .closeBrace, .end: return element
            case .newline: break
            case .word where ["timeout", "expires"].contains(text):
                let isLeft = text == "expires"
                advance()
                // What is left counts; a listing has it behind the whole.
                if let seconds = word.flatMap(Self.seconds), isLeft || element.timeout == nil {
                    element.timeout = seconds
                }
            case .word where text == "comment":
                element.hasComment = true
                advance()
            case .word where text == "counter":
                // counter packets N bytes N
                for _ in 0..<4 where token.kind == .word { advance() }
                guard token.kind == .word else { continue }
            case .dot: element.text += " . "
            case .string: element.text += text
            case .openBrace: skipBlock(); continue
            default: element.text += text
            }
            advance()
        }
    }

    /// `1h59m58s496ms`; parts of seconds count as one.
    static func seconds(_ text: String) -> UInt64? {
        var text = text
        var extra: UInt64 = 0
        if text.hasSuffix("ms") {
            text.removeLast(2)
            while text.last?.isNumber == true { text.removeLast() }
            extra = 1
        }
        guard !text.isEmpty else { return extra == 1 ? 1 : nil }
        guard let seconds = RuleParser.duration(Array(text.utf8)[...]) else { return nil }
        return min(max(seconds + extra, 1), RuleParser.longestDuration)
    }
}
