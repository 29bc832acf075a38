// SPDX-License-Identifier: Apache-2.0

/// What is wrong with the text of an element, and where.
public struct ElementProblem: Error, Sendable, Hashable {
    /// In bytes, from 1.
    public var column: Int
    public var what: String
    /// What was expected, or what to do.
    public var remedy: String

    init(_ column: Int, _ what: String, expected: String) {
        self.init(column, what, remedy: "expected: \(expected)")
    }

    init(_ column: Int, _ what: String, remedy: String) {
        self.column = column
        self.what = what
        self.remedy = remedy
    }

    /// The start of what was found instead, fit for a message.
    static func excerpt(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard !bytes.isEmpty else { return "nothing" }
        let shown = bytes.prefix(40).map { (32..<127).contains($0) ? $0 : UInt8(ascii: "?") }
        return "\"\(String(decoding: shown, as: UTF8.self))\(bytes.count > 40 ? "…" : "")\""
    }
}
