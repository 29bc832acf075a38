// SPDX-License-Identifier: Apache-2.0
import BPF

/// Where a packet goes after a member gave a verdict.
public enum Edge: Sendable, Hashable, CustomStringConvertible {
    /// To the member that follows in order; after the last one the chain ends.
    case next
    /// Nowhere: the verdict is the packet's.
    case end
    /// To a member by name.
    case member(String)

    /// "next", "end" or the member's name.
    public var description: String {
        switch self {
        case .next: "next"
        case .end: "end"
        case .member(let name): name
        }
    }

    /// Reads what ``description`` writes.
    public init(parsing text: String) {
        switch text {
        case "next": self = .next
        case "end": self = .end
        default: self = .member(text)
        }
    }

    /// What happens after a verdict that no edge was given for: `pass` goes on, everything else ends.
    public static func standard(for verdict: Verdict) -> Edge {
        verdict == .pass ? .next : .end
    }

    /// The edges that a program's own metadata asks for, where they are not the standard ones.
    static func edges(saidBy configuration: RunConfiguration) -> [Verdict: Edge] {
        var edges: [Verdict: Edge] = [:]
        for verdict in Verdict.allCases {
            let edge: Edge = configuration.continuingVerdicts.contains(verdict.rawValue) ? .next : .end
            if edge != .standard(for: verdict) { edges[verdict] = edge }
        }
        return edges
    }
}
