// SPDX-License-Identifier: Apache-2.0

/// A whole chain as somebody wants it, whatever runs now: what a file describes.
public struct ChainSpecification: Sendable, Hashable {
    /// One member of it.
    public struct Member: Sendable, Hashable {
        /// Where its program comes from.
        public enum Source: Sendable, Hashable {
            /// An object file, with its settings; the name, position and edges of the request are not looked at.
            case object(LoadRequest)
            /// Somebody else loaded it, and it became a member.
            case adopted
            /// The rules of a packet filter; others than this module make a member of them.
            case rules(RuleOrigin)
        }

        /// Where rules stand.
        public enum RuleOrigin: Sendable, Hashable {
            case file(String)
            case text(String)
        }

        public var name: String
        public var source: Source
        /// Edges that were said; the others are those of the object's metadata.
        public var edges: [Verdict: Edge] = [:]
        /// SHA-256 that the object file must have.
        public var digest: [UInt8]?

        public init(name: String, source: Source) {
            self.name = name
            self.source = source
        }
    }

    /// How to attach, where there is no chain yet; one that is there must be attached so.
    public var mode = ModeRequest.native
    public var counters = CounterMode.bytes
    /// What a packet gets when it has used up its tail calls.
    public var fallback = Verdict.aborted
    /// In order. None: there shall be no chain.
    public var members: [Member] = []

    public init() {}
}
