// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong in a file, and where.
public struct Finding: Error, Sendable, Hashable {
    /// ``XDPError/Kind/invalid`` where the file makes no sense on any machine, ``XDPError/Kind/refused`` where
    /// it does not fit what it meets on this one.
    public var kind: XDPError.Kind
    public var file: String
    /// From 1; nil where the whole file is meant.
    public var line: Int?
    /// In characters, from 1.
    public var column: Int?
    /// What is wrong.
    public var what: String
    /// What was expected, or what to do now.
    public var remedy: String?

    public init(
        _ kind: XDPError.Kind, file: String, line: Int? = nil, column: Int? = nil, _ what: String,
        remedy: String? = nil
    ) {
        self.kind = kind
        self.file = file
        self.line = line
        self.column = column
        self.what = what
        self.remedy = remedy
    }

    /// "eth0.yaml:7:9", as compilers write it.
    public var location: String {
        ([file] + [line, column].compactMap { $0 }.map(String.init)).joined(separator: ":")
    }

    /// Everything in one line.
    public var description: String {
        "\(location): \(what)" + (remedy.map { "; \($0)" } ?? "")
    }
}
