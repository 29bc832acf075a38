// SPDX-License-Identifier: Apache-2.0

/// Lockdown and security modules.
enum SecurityCheck: MachineCheck {
    static let group = CheckGroup.security

    private static let mountSecurity =
        "`mount -t securityfs securityfs /sys/kernel/security`, if it is not mounted"

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        switch facts.lockdown {
        case .unknown(let reason):
            findings.unknown(.lockdown, of: "lockdown", because: reason, remedy: mountSecurity)
        case .known(.confidentiality):
            findings.add(
                .lockdown, of: "lockdown", "the kernel keeps its memory to itself, also from root",
                evidence: ["/sys/kernel/security/lockdown: confidentiality"],
                consequence:
                    "programs that read the kernel's memory (tracing, `bpf_probe_read_kernel`) are refused; "
                    + "XDP programs that only look at packets are not",
                remedy: "Nothing is wrong; where tracing is needed, start the kernel with lockdown=integrity",
                repair: .byHand)
        case .known(let level):
            findings.fine(
                .lockdown, of: "lockdown", "XDP is not restricted",
                evidence: ["/sys/kernel/security/lockdown: \(level.rawValue)"])
        }
        switch facts.securityModules {
        case .unknown(let reason):
            findings.unknown(.bpfModule, of: "security modules", because: reason, remedy: mountSecurity)
        case .known(let modules):
            let list = modules.names.joined(separator: ",")
            let evidence = ["/sys/kernel/security/lsm: \(list)"]
            // Where the kernel cannot have it, the option is missing, and that is said there.
            let isBuilt = facts.options.value.map { $0["CONFIG_BPF_LSM"] == "y" } ?? true
            if modules.names.contains("bpf") {
                findings.fine(.bpfModule, of: "security modules", "BPF is one of them", evidence: evidence)
            } else if isBuilt {
                findings.add(
                    .bpfModule, of: "security modules", "BPF is not one of them", evidence: evidence,
                    consequence:
                        "BPF programs for security decisions (LSM) can be loaded and attached, and never run",
                    remedy: "If they are needed: start the kernel with lsm=\(list),bpf", repair: .byHand)
            } else {
                findings.fine(
                    .bpfModule, of: "security modules",
                    "BPF is not one of them; the kernel was built without it",
                    evidence: evidence)
            }
        }
    }
}
