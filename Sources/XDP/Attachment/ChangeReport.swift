// SPDX-License-Identifier: Apache-2.0
import BPF

/// What a change did.
public struct ChangeReport: Sendable {
    /// What happened to the hook.
    public enum Outcome: String, Sendable, Codable {
        /// The chain is new on the interface.
        case attached
        /// A chain took the place of a program that somebody else had attached, which is a member now.
        case adopted
        /// A program that had been adopted is alone on the hook again.
        case released
        /// One chain took the place of another.
        case changed
        /// The chain was already as asked for.
        case unchanged
        /// The last member went, and the chain with it.
        case detached
    }

    public var outcome: Outcome
    public var interface: String
    public var mode: AttachMode
    /// Whether native mode was asked for and could not be had.
    public var fellBack: Bool
    /// The chain as it is now; empty after `detached`.
    public var chain: Chain
    public var generation: UInt64
    /// How often somebody else was faster, so that the change was worked out again.
    public var retries: Int
    /// What the user should know: members moved out of line, maps kept or not, members out of reach.
    public var notes: [String]
    /// What the checks before the change found that it brings, the worst first.
    public var checks: [CheckFinding] = []
}

/// What a chain is held against before it takes the place of another.
public enum ChangeChecks: Sendable, Hashable {
    /// What the members do against what interface and kernel give.
    case preflight
    /// Nothing: for changes that bring nothing new.
    case none
}

/// How a chain shall be attached.
public enum ModeRequest: String, Sendable, Hashable, Codable, CaseIterable {
    case native
    case generic
    case offload
    /// Native, or generic where the driver has no native mode.
    case auto
}
