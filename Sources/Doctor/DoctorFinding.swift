// SPDX-License-Identifier: Apache-2.0
import XDP

/// A finding, where it belongs, and what would make it go.
public struct DoctorFinding: Sendable, Hashable {
    public var group: CheckGroup
    public var finding: CheckFinding
    public var repair: Repair?

    public init(group: CheckGroup, _ finding: CheckFinding, repair: Repair? = nil) {
        self.group = group
        self.finding = finding
        self.repair = repair
    }
}
