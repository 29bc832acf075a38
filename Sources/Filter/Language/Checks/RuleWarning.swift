// SPDX-License-Identifier: Apache-2.0

/// Something in a rule set that can hardly be meant, though it can be done.
public struct RuleWarning: Sendable, Hashable {
    /// A stable name for scripts.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// No packet can meet the rule.
        case neverMatches = "never-matches"
        /// An earlier rule decides about all packets of this one.
        case unreachable
        /// The same rule is there already.
        case duplicate
        /// Elements of a set that others cover.
        case overlap
        /// A set or a group that no rule names.
        case unused
        /// A rule that does nothing at all.
        case noEffect = "no-effect"
    }

    public var kind: Kind
    public var place: SourcePlace
    public var what: String
    public var remedy: String?
}
