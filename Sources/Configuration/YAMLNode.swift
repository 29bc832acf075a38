// SPDX-License-Identifier: Apache-2.0

/// A piece of a YAML document, and where it stands.
public struct YAMLNode: Sendable, Hashable {
    /// What it is.
    public enum Content: Sendable, Hashable {
        /// Text; plain if it stands there without quotes, so that `null` means nothing and `"null"` a word.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// One line of a mapping.
    public struct Entry: Sendable, Hashable {
        public let key: String
        public let keyPlace: SourcePlace
        public let value: YAMLNode
    }

    public let content: Content
    public let place: SourcePlace

    /// Whether nothing stands there: `key:`, `~` or `null`.
    public var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What it is, for messages.
    public var kind: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A place in a file, from 1; the column counts characters.
public struct SourcePlace: Sendable, Hashable {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
