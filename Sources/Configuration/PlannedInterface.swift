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

    /// Carries it out.
    ///
    /// - Returns: nil where nothing was to be done.
    public func carryOut() throws(XDPError) -> ChangeReport? {
        guard plan.swaps > 0, let interface, let target else { return nil }
        return try ChainEditor(interface).apply(target, foreseen: foreseen)
    }
}
