// SPDX-License-Identifier: Apache-2.0
import XDP

/// Rules that are about to be put on an interface, for those who check them.
public struct Proposal: Sendable {
    public let interface: Interface
    public let rules: RuleSet
    /// The rules that run; nil where there are none.
    public let former: RuleSet?
    /// The sets as they will be.
    let sets: FilterSets

    /// Whether sessions over the network would be cut.
    public func lockout() throws(XDPError) -> [CheckFinding] {
        guard LockoutCheck.isNeeded(on: interface) else { return [] }
        return LockoutCheck.findings(rules: rules, sets: try sets.elements(), interface: interface)
    }
}
