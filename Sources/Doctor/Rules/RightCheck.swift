// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// What this process may do, and what nobody may.
enum RightCheck: MachineCheck {
    static let group = CheckGroup.rights

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        for capability in Capability.allCases {
            if facts.capabilities.contains(capability) {
                findings.fine(
                    .capability, of: "\(capability)", "this process has it", evidence: ["capget(2)"])
            } else {
                findings.add(
                    .capability, of: "\(capability)", "this process does not have it",
                    evidence: ["capget(2)"],
                    consequence: "it is needed \(capability.purpose)",
                    remedy: "Run as root, or grant it with setpriv(1) or in the service's unit")
            }
        }
        let subject = "freplace, fentry, fexit"
        switch facts.trampolines {
        case .unknown(let reason): findings.unknown(.trampolines, of: subject, because: reason)
        case .supported:
            findings.fine(
                .trampolines, of: subject, "the kernel takes programs that follow or replace functions",
                evidence: ["a try to load one got as far as the verifier"])
        case .unsupported:
            findings.add(
                .trampolines, of: subject, "the kernel takes no programs that follow or replace functions",
                evidence: ["a try to load one was refused"] + [facts.whyNoTrampolines].compactMap { $0 },
                consequence:
                    "libxdp cannot put several programs on an interface (its dispatcher replaces functions), "
                    + "and xdpdump sees no packets; xdpctl needs none of it",
                remedy: "Nothing in user space changes it; another kernel may", repair: .byHand)
        }
    }
}
