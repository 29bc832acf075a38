// SPDX-License-Identifier: Apache-2.0
import XDP

/// What a rule file says: sets, groups of rules, and the rules that every packet meets, in order.
///
/// The first rule that decides ends it; a rule that only logs, counts or limits lets the packet go on to the
/// next one. Where no rule decides, the policy does. The meaning of each part is written beside it, and nowhere
/// else: the evaluator and the compiler follow the same words, and tests hold one against the other.
public struct RuleSet: Sendable, Hashable {
    public var sets: [SetDeclaration] = []
    /// Rules that others jump to.
    public var groups: [RuleGroup] = []
    public var rules: [Rule] = []
    /// What happens to a packet that no rule decided: `drop`, `pass` or `aborted`.
    public var policy: Verdict
    /// Whether every rule counts packets and bytes; without it only those that have a ``Rule/counter``.
    public var countsRules = true

    public init(policy: Verdict) {
        self.policy = policy
    }

    /// The set of a name.
    public func set(_ name: String) -> SetDeclaration? {
        sets.first { $0.name == name }
    }

    /// The group of a name.
    public func group(_ name: String) -> RuleGroup? {
        groups.first { $0.name == name }
    }

    /// The rule of an id; nil for the policy and where there is none.
    public subscript(id: RuleID) -> Rule? {
        guard case .rule(let group, let index) = id else { return nil }
        let list = group.map { self.group($0)?.rules ?? [] } ?? rules
        return list.indices.contains(index) ? list[index] : nil
    }
}

/// Rules that are met by jumping to them; behind the last one a packet goes on after the jump.
public struct RuleGroup: Sendable, Hashable {
    public var name: String
    public var rules: [Rule]
    public var place: SourcePlace

    public init(name: String, rules: [Rule], place: SourcePlace = .none) {
        self.name = name
        self.rules = rules
        self.place = place
    }
}

/// Which rule of a rule set.
public enum RuleID: Sendable, Hashable {
    /// A rule of a group (nil: of the main rules), by its place from 0.
    case rule(group: String?, index: Int)
    /// Where no rule decided.
    case policy
}

/// A place in a rule file, for messages. Two values that differ only in places are equal.
public struct SourcePlace: Sendable, Hashable {
    /// From 1; 0 where there is no place.
    public var line: Int
    /// In characters, from 1.
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Of what was made by a program.
    public static let none = SourcePlace(line: 0, column: 0)

    // What a rule means does not depend on where it stands.
    public static func == (left: Self, right: Self) -> Bool { true }
    public func hash(into hasher: inout Hasher) {}
}
