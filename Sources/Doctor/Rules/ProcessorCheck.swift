// SPDX-License-Identifier: Apache-2.0

/// Weaknesses of the processor, and what their mitigations cost each packet.
enum ProcessorCheck: MachineCheck {
    static let group = CheckGroup.processor

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        for name in Vulnerability.relevant {
            switch facts.vulnerabilities[name] ?? .unknown("it was not read") {
            case .unknown(let reason): findings.unknown(.vulnerable, of: name, because: reason)
            case .known(let found): check(found, facts, &findings)
            }
        }
    }

    private static func check(
        _ found: Vulnerability, _ facts: MachineFacts, _ findings: inout Findings
    ) {
        let evidence = ["/sys/devices/system/cpu/vulnerabilities/\(found.name): \(found.text)"]
        switch found.state {
        case .unclear:
            findings.unknown(
                .vulnerable, of: found.name,
                because: evidence[0].isEmpty || found.text.isEmpty ? "the kernel says nothing" : evidence[0])
        case .vulnerable where found.name == "spec_store_bypass":
            // The kernel's choice for programs that did not ask: BPF programs are protected by the verifier.
            findings.fine(
                .vulnerable, of: found.name,
                "programs of users without CAP_PERFMON are protected by the verifier; those of root need not be",
                evidence: evidence)
        case .vulnerable where found.blamesUnprivilegedBPF:
            findings.add(
                .vulnerable, of: found.name,
                "the processor is vulnerable because every user may load programs",
                evidence: evidence, consequence: "a user can read memory of the kernel",
                remedy: SettingCheck.remedy(.unprivilegedBPF, 2), repair: .set(.unprivilegedBPF, to: 2))
        case .vulnerable:
            findings.add(
                .vulnerable, of: found.name,
                "the processor is vulnerable, and the kernel does not prevent it",
                evidence: evidence,
                consequence: "memory of the kernel can be read by who can run code on this machine",
                remedy: "Install the processor's microcode, and take `mitigations=off` and the like from the "
                    + "kernel's command line, unless nobody else runs code here",
                repair: .byHand)
        case .mitigated where found.name == "spectre_v2" && found.usesRetpolines:
            findings.add(
                .retpolines, of: found.name, "indirect calls go through return trampolines (retpolines)",
                evidence: evidence,
                consequence:
                    "each indirect call in a packet's way costs more: of the driver, of the network stack, and "
                    + "of tail calls whose place in the array is not constant. The call of an XDP program itself is "
                    + "a direct one on x86-64 (the BPF dispatcher), and so are calls of helpers; members that are "
                    + "linked inline need none",
                remedy: "Nothing is wrong; processors with enhanced IBRS do without")
        case .mitigated, .notAffected:
            findings.fine(
                .vulnerable, of: found.name,
                found.state == .mitigated ? "the kernel prevents it" : "the processor is not affected",
                evidence: evidence)
        }
    }
}
