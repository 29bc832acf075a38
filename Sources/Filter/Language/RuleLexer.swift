// SPDX-License-Identifier: Apache-2.0

/// Cuts a rule file into tokens, one at a time, so that a large file needs no memory for them.
struct RuleLexer {
    let bytes: [UInt8]
    private(set) var offset = 0
    private var line = 1
    private var lineStart = 0
    /// Bytes of this line that continue a character.
    private var continuations = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A byte-order mark means nothing in UTF-8.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            offset = 3
            lineStart = 3
        }
    }

    private func byte(_ place: Int) -> UInt8 {
        place < bytes.count ? bytes[place] : 0
    }

    mutating func next() -> RuleToken {
        skipBlanks()
        let start = offset
        let place = SourcePlace(line: line, column: start - lineStart - continuations + 1)
        let kind = scan()
        if kind == .newline {
            line += 1
            lineStart = offset
            continuations = 0
        }
        return RuleToken(kind: kind, start: start, end: offset, place: place)
    }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): offset += 1
            case UInt8(ascii: "#"):
                while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { step() }
            default: return
            }
        }
    }

    /// One byte further, which may be part of a character.
    private mutating func step() {
        if bytes[offset] & 0xc0 == 0x80 { continuations += 1 }
        offset += 1
    }

    private mutating func scan() -> RuleToken.Kind {
        guard offset < bytes.count else { return .end }
        let first = bytes[offset]
        if Self.isWord(first) || (first == UInt8(ascii: ":") && byte(offset + 1) == first) {
            return scanWord()
        }
        offset += 1
        switch first {
        case UInt8(ascii: "\n"): return .newline
        case UInt8(ascii: "\""): return scanString()
        case UInt8(ascii: ";"): return .semicolon
        case UInt8(ascii: ","): return .comma
        case UInt8(ascii: ":"): return .colon
        case UInt8(ascii: "."): return .dot
        case UInt8(ascii: "/"): return .slash
        case UInt8(ascii: "@"): return .at
        case UInt8(ascii: "+"): return .plus
        case UInt8(ascii: "*"): return .star
        case UInt8(ascii: "&"): return .ampersand
        case UInt8(ascii: "{"): return .openBrace
        case UInt8(ascii: "}"): return .closeBrace
        case UInt8(ascii: "("): return .openParenthesis
        case UInt8(ascii: ")"): return .closeParenthesis
        case UInt8(ascii: "!"): return followed(.notEqual, or: .not)
        case UInt8(ascii: "="):
            return followed(.equal, or: .equal)
        case UInt8(ascii: "<"): return followed(.lessOrEqual, or: .less)
        case UInt8(ascii: ">"): return followed(.greaterOrEqual, or: .greater)
        default:
            // The rest of the character belongs to it.
            while byte(offset) & 0xc0 == 0x80 { step() }
            return .unknown
        }
    }

    /// An equals sign may follow.
    private mutating func followed(_ kind: RuleToken.Kind, or other: RuleToken.Kind) -> RuleToken.Kind {
        guard byte(offset) == UInt8(ascii: "=") else { return other }
        offset += 1
        return kind
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private mutating func scanWord() -> RuleToken.Kind {
        let start = offset
        while Self.isWord(byte(offset)) || byte(offset) == UInt8(ascii: ".")
            || byte(offset) == UInt8(ascii: ":")
        {
            offset += 1
        }
        // A dot at its end, and a single colon, stand for themselves: `set names: prefix`.
        let last = byte(offset - 1)
        if last == UInt8(ascii: ".") {
            offset -= 1
        } else if last == UInt8(ascii: ":"), offset - start >= 2, byte(offset - 2) != last {
            offset -= 1
        }
        return .word
    }

    /// Up to the closing quote; without one, up to the end of the line.
    private mutating func scanString() -> RuleToken.Kind {
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") {
            let byte = bytes[offset]
            step()
            if byte == UInt8(ascii: "\"") { return .string }
            if byte == UInt8(ascii: "\\"), offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") {
                step()
            }
        }
        return .unknown
    }
}
