// SPDX-License-Identifier: Apache-2.0

/// The lockdown level, from the text of `/sys/kernel/security/lockdown`: "none [integrity] confidentiality".
public enum Lockdown: String, Sendable, Hashable {
    case none, integrity, confidentiality

    /// The word in brackets; nil where there is none, or none that is known.
    public init?(text: String) {
        guard let start = text.firstIndex(of: "["), let end = text[start...].firstIndex(of: "]") else {
            return nil
        }
        self.init(rawValue: String(text[text.index(after: start)..<end]))
    }
}

/// The security modules that are in force, from the text of `/sys/kernel/security/lsm`: names and commas.
public struct SecurityModules: Sendable, Hashable {
    public var names: [String]

    /// nil for a text that is no such list: the kernel always has one at least.
    public init?(text: String) {
        let names = text.trimmed.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
        let isList = names.allSatisfy { name in
            name.utf8.count <= 32 && name.utf8.allSatisfy { $0 > 32 && $0 < 127 }
        }
        guard !names.isEmpty, isList else { return nil }
        self.names = names
    }
}
