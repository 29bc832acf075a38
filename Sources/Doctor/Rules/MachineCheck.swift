// SPDX-License-Identifier: Apache-2.0

/// The rules about one thing: a pure function of what was read.
protocol MachineCheck: Sendable {
    static var group: CheckGroup { get }

    static func check(_ facts: MachineFacts, into findings: inout Findings)
}

extension MachineCheck {
    static func findings(_ facts: MachineFacts, for profile: Profile) -> [DoctorFinding] {
        var findings = Findings(group, for: profile)
        check(facts, into: &findings)
        return findings.all
    }
}
