// SPDX-License-Identifier: Apache-2.0

/// A piece of a rule file.
struct RuleToken {
    enum Kind: UInt8 {
        /// Letters, digits and `_ - . :`, so also addresses and ranges.
        case word
        /// In quotes, which belong to it.
        case string
        case newline, semicolon, comma, colon, dot, slash, at, plus, ampersand, star
        case openBrace, closeBrace, openParenthesis, closeParenthesis
        case not, equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        /// A byte that begins nothing.
        case unknown
        case end
    }

    var kind: Kind
    /// Where its bytes are.
    var start: Int
    var end: Int
    var place: SourcePlace
}
