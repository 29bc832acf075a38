// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// The interfaces of a network namespace: how programs run there, and what stands in the way.
enum InterfaceCheck: MachineCheck {
    static let group = CheckGroup.interfaces

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        switch facts.interfaces {
        case .unknown(let reason): findings.unknown(.genericMode, of: "interfaces", because: reason)
        case .known(let interfaces):
            for interface in interfaces {
                for attachment in interface.attachments { check(attachment, of: interface, &findings) }
                for obstacle in interface.obstacles { take(obstacle, of: interface, &findings) }
            }
        }
    }

    private static func check(
        _ attachment: InterfaceFact.Attachment, of interface: InterfaceFact, _ findings: inout Findings
    ) {
        let whose =
            attachment.members.map { members in
                members.isEmpty
                    ? "a chain without members, for captures"
                    : "a chain of \(members.joined(separator: ", ").withoutControls)"
            }
            ?? "which xdpctl did not load"
        let evidence = [
            "\(interface.name): program \(attachment.programID), \(attachment.mode.rawValue) mode, \(whose)"
        ]
        guard attachment.mode == .generic else {
            findings.fine(
                .genericMode, of: interface.name, "its program runs in \(attachment.mode) mode",
                evidence: evidence)
            return
        }
        let slow =
            "the kernel makes a socket buffer of each packet first, which is most of what XDP saves"
        switch interface.native {
        case .supported:
            findings.add(
                .genericMode, of: interface.name,
                "a program runs in generic mode although the driver has native",
                evidence: evidence + ["\(interface.name): native XDP: yes"], consequence: slow,
                remedy: remedy(attachment, interface.name), repair: .byHand)
        case .unsupported:
            findings.add(
                .genericOnly, of: interface.name, "a program runs in generic mode; the driver has no native",
                evidence: evidence + ["\(interface.name): native XDP: no"], consequence: slow,
                remedy: "Take a card whose driver has native XDP, if the speed is needed")
        case .unknown(let reason):
            findings.add(
                .genericOnly, of: interface.name,
                "a program runs in generic mode; whether the driver has native is unknown",
                evidence: evidence + [reason], consequence: slow,
                remedy: "Try it where packets may be lost for a moment: " + remedy(attachment, interface.name)
            )
        }
    }

    private static func remedy(_ attachment: InterfaceFact.Attachment, _ name: String) -> String {
        guard attachment.members != nil else { return "Have its loader attach it in native (driver) mode" }
        return
            "`xdpctl export \(name) > \(name).yaml`, write `mode: native` there, `xdpctl unload \(name) --all`, "
            + "`xdpctl apply \(name).yaml`; packets pass without the chain meanwhile"
    }

    /// What stands in the way of a program that is not there is good to know, no more.
    private static func take(
        _ obstacle: CheckFinding, of interface: InterfaceFact, _ findings: inout Findings
    ) {
        var obstacle = obstacle
        let worst: CheckFinding.Severity = interface.attachments.isEmpty ? .note : .error
        obstacle.severity = min(obstacle.severity, worst)
        findings.take(obstacle, repair: obstacle.severity > .note ? .byHand : nil)
    }
}
