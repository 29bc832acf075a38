// SPDX-License-Identifier: Apache-2.0

/// Pins that are in the way, and pins that are open to others.
enum PinCheck: MachineCheck {
    static let group = CheckGroup.pins

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        for pin in facts.pins.open { check(pin, &findings) }
        for stale in facts.stalePins {
            let why =
                switch stale.reason {
                case .linkWithoutInterface: "the link that it keeps has no interface any more"
                case .unusedArray: "no program refers to the program array that it keeps"
                }
            findings.add(
                .stalePin, of: stale.path.withoutControls, why, evidence: [stale.path.withoutControls],
                consequence: "it keeps memory; a crash or a deleted interface left it",
                remedy: "The next change by xdpctl removes it, or `rm \(FixScript.quoted(stale.path))`",
                repair: .remove(path: stale.path))
        }
        if !facts.pins.gaps.isEmpty {
            findings.unknown(.openToAll, of: "some pins", because: facts.pins.gaps.map(\.withoutControls))
        }
        if facts.pins.open.isEmpty, facts.stalePins.isEmpty {
            findings.fine(
                .openToAll, of: "pins",
                facts.pins.gaps.isEmpty
                    ? "only their owners can use them"
                    : "only their owners can use those that could be looked at",
                evidence: ["\(facts.pins.count) looked at"])
        }
    }

    private static func check(_ pin: PinFact, _ findings: inout Findings) {
        guard let audience = pin.openTo else { return }
        let everybody = audience == .everybody
        let who = everybody ? "everybody" : "group \(pin.groupID)"
        let path = pin.path.withoutControls
        let evidence = ["\(path): mode \(pin.octal), user \(pin.userID), group \(pin.groupID)"]
        let rule: Rule = everybody ? .openToAll : .openToGroup
        if pin.isDirectory {
            findings.add(
                rule, of: path, "\(who) can remove and replace what is pinned there", evidence: evidence,
                consequence: "who finds its maps and programs there by name gets those of others",
                remedy: "`chmod go-w \(FixScript.quoted(pin.path))`",
                repair: .restrict(path: pin.path, mode: "go-w"))
        } else {
            findings.add(
                rule, of: path, "\(who) can open it", evidence: evidence,
                consequence:
                    "since Linux 5.19 also without CAP_BPF: of a map the content can be read, and with the "
                    + "right to write changed, which may be what a program decides by",
                remedy: "`chmod go-rwx \(FixScript.quoted(pin.path))`",
                repair: .restrict(path: pin.path, mode: "go-rwx"))
        }
    }
}
