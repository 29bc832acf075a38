// SPDX-License-Identifier: Apache-2.0
import XDP

/// What is to be done on one interface.
public struct PlannedInterface: Sendable {
    public let name: String
    /// The file that describes it; nil where none does and its chain is to go.
    public let file: String?
    /// nil where there is no such interface, and that was said to be fine.
    public let interface: Interface?
    public let target: ChainTarget?
    public let plan: ChainPlan
    /// The members that ran when the plan was made.
    public let foreseen: [String]

    /// What the checks before the change would find, the worst first; nothing is changed.
    public func check() throws(XDPError) -> [CheckFinding] {
        guard plan.swaps > 0, let interface, let target else { return [] }
        return try ChainEditor(interface).check(target)
    }

    /// Carries it out.
    ///
    /// - Parameter overridingChecks: makes the change although a check finds an error.
    /// - Returns: nil where nothing was to be done.
    public func carryOut(overridingChecks: Bool = false) throws(XDPError) -> ChangeReport? {
        guard plan.swaps > 0, let interface, let target else { return nil }
        var editor = ChainEditor(interface)
        editor.overridesChecks = overridingChecks
        return try editor.apply(target, foreseen: foreseen)
    }
}
