// SPDX-License-Identifier: Apache-2.0
import XDP

/// XDP programs in the kernel that nobody looks after.
enum ProgramCheck: MachineCheck {
    static let group = CheckGroup.programs

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        switch facts.programs {
        case .unknown(let reason): findings.unknown(.orphan, of: "loaded programs", because: reason)
        case .known(let loaded): check(loaded, facts, &findings)
        }
        for lost in facts.lostChains {
            findings.add(
                .lostChain, of: lost.path.withoutControls,
                "a chain of \(lost.members.joined(separator: ", ").withoutControls) has no interface any more",
                evidence: ["\(lost.path.withoutControls): a link without an interface"],
                consequence: "what it did for the interface's packets is not done",
                remedy:
                    "`xdpctl apply` or `load` makes it again; the rest of the old one goes with the next change",
                repair: .byHand)
        }
    }

    private static func check(
        _ loaded: LoadedPrograms, _ facts: MachineFacts, _ findings: inout Findings
    ) {
        let orphans = loaded.programs.filter(\.isOrphan)
        let idle = loaded.programs.filter(\.isOnlyPinned)
        for program in orphans {
            findings.take(orphan(program, loaded, facts, findings.profile), repair: .byHand)
        }
        for program in idle {
            findings.add(
                .onlyPinned, of: title(program), "it is pinned, and runs nowhere",
                evidence: program.pins.map(\.withoutControls),
                consequence: "it takes memory; somebody may be about to attach it",
                remedy: "If nobody needs it: `rm \(FixScript.quoted(program.pins[0]))`", repair: .byHand)
        }
        if orphans.isEmpty, idle.isEmpty {
            let count = loaded.programs.count
            findings.fine(
                .orphan, of: "loaded programs",
                count == 1 ? "the one XDP program is held" : "all \(count) XDP programs are held or run",
                evidence: loaded.gaps)
        }
    }

    /// Where something could not be looked at that may hold it, this is no more than a note.
    private static func orphan(
        _ program: LoadedPrograms.Entry, _ loaded: LoadedPrograms, _ facts: MachineFacts, _ profile: Profile
    ) -> CheckFinding {
        var finding = CheckFinding(
            Rule.orphan.rawValue, Rule.orphan.severity(for: profile), of: title(program),
            "it is loaded, and nothing that holds it can be found",
            evidence: [
                "looked at: the interfaces of \(loaded.namespaces) network namespaces, all links, pins, processes "
                    + "and maps",
                "loaded by user \(program.userID)",
            ],
            consequence:
                "it may see packets of an interface in a network namespace that only a descriptor or a "
                + "socket keeps alive, where nobody can look after it",
            remedy: "`bpftool prog show id \(program.id)`; it goes when whoever keeps that namespace ends")
        guard !loaded.gaps.isEmpty else { return finding }
        finding.severity = .note
        finding.evidence += loaded.gaps.map { "but \($0)" }
        if !facts.capabilities.isSuperset(of: [.processTracing, .systemAdministration]) {
            finding.remedy = "Look as root, with CAP_SYS_PTRACE"
        }
        return finding
    }

    private static func title(_ program: LoadedPrograms.Entry) -> String {
        let name = program.name.withoutControls
        return "program \(program.id)" + (name.isEmpty ? "" : " (\(name))")
    }
}
