// SPDX-License-Identifier: Apache-2.0

/// Whether something is there: three answers, never a guess.
public enum Support: Sendable, Hashable {
    case supported
    case unsupported
    /// It could not be found out, and why.
    case unknown(String)

    /// "yes", "no" or "unknown".
    public var word: String {
        switch self {
        case .supported: "yes"
        case .unsupported: "no"
        case .unknown: "unknown"
        }
    }

    /// Why it is unknown; nil where it is known.
    public var reason: String? {
        if case .unknown(let reason) = self { return reason }
        return nil
    }
}
