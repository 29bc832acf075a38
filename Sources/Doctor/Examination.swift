// SPDX-License-Identifier: Apache-2.0
import XDP

/// What all rules say of a machine.
public struct Examination: Sendable, Hashable {
    public let profile: Profile
    /// The kernel, as `uname -r` says.
    public let kernel: String
    /// By group, the group with the worst finding first; in a group the worst first.
    public let findings: [DoctorFinding]

    private static let checks: [any MachineCheck.Type] = [
        OptionCheck.self, SettingCheck.self, ProcessorCheck.self, SecurityCheck.self, FileSystemCheck.self,
        MemoryCheck.self, RightCheck.self, InterfaceCheck.self, ProgramCheck.self, PinCheck.self,
        ToolCheck.self,
    ]

    public init(of facts: MachineFacts, for profile: Profile) {
        self.profile = profile
        kernel = facts.release
        let groups = Self.checks.map { $0.findings(facts, for: profile) }
        func worst(_ group: [DoctorFinding]) -> CheckFinding.Severity {
            group.map(\.finding.severity).max() ?? .fine
        }
        // Sorting keeps the order of equals only by their places.
        let sorted = groups.enumerated().sorted { left, right in
            (worst(right.element), left.offset) < (worst(left.element), right.offset)
        }
        findings = sorted.flatMap { group in
            group.element.enumerated().sorted { left, right in
                (right.element.finding.severity, left.offset) < (left.element.finding.severity, right.offset)
            }.map(\.element)
        }
    }

    /// How many findings there are of a severity.
    public func count(_ severity: CheckFinding.Severity) -> Int {
        findings.count { $0.finding.severity == severity }
    }

    /// The worst of all.
    public var worst: CheckFinding.Severity { findings.map(\.finding.severity).max() ?? .fine }
}
