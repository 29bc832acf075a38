// SPDX-License-Identifier: Apache-2.0

/// Interfaces that packets are redirected to: by index, or as entries of a device map. In native mode a target
/// has to take packets as XDP has them (ndo-xmit); what cannot loses them.
enum RedirectTargetRule: PreflightRule {
    static let name = "redirect-target"

    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        guard subject.mode != .offload else { return [] }
        return subject.members.flatMap { member in
            member.redirects.flatMap { redirect -> [PreflightFinding] in
                let uses = uses(of: redirect, in: member)
                let found = uses.flatMap { judge($0, member, redirect, subject) }
                guard case .interfaces(nil) = redirect.target, subject.mode == .native else { return found }
                return found + [unknown(member, redirect)]
            }
        }
    }

    /// An interface that a redirect leads to, and by which entry of which map.
    struct Use {
        var index: UInt32
        var entry: String?
    }

    static func uses(
        of redirect: ProgramAnalysis.Redirect, in member: PreflightSubject.Member
    ) -> [Use] {
        switch redirect.target {
        case .interfaces(let indices): (indices ?? []).sorted().map { Use(index: $0) }
        case .unknownMap: []
        case .map(let place):
            if let map = member.maps[place], map.type.isDeviceMap, case .entries(let entries) = map.content {
                entries.map { Use(index: $0.value, entry: "entry \($0.key) of \(map.name)") }
            } else {
                []
            }
        }
    }

    private static func judge(
        _ use: Use, _ member: PreflightSubject.Member, _ redirect: ProgramAnalysis.Redirect,
        _ subject: PreflightSubject
    ) -> [PreflightFinding] {
        let place = redirect.places.location(in: member.name)
        let evidence =
            redirect.places.evidence(in: member.name)
            + (use.entry.map { ["\($0) is interface \(use.index), as this network namespace counts"] } ?? [])
        func finding(
            _ rule: String, _ severity: CheckFinding.Severity, _ what: String, _ fact: String? = nil,
            consequence: String?, remedy: String?
        ) -> PreflightFinding {
            PreflightFinding(
                rule, severity, of: member.name, about: "\(use.index)", what,
                evidence: evidence + [fact].compactMap(\.self), consequence: consequence, remedy: remedy)
        }
        guard case .interface(let target)? = subject.targets[use.index] else {
            // An entry may have been made for an interface of another namespace.
            let isEntry = use.entry != nil
            return [
                finding(
                    "redirect-missing", isEntry ? .note : .warning,
                    isEntry
                        ? "\(place) sends packets to interface \(use.index), which this network namespace does not have"
                        : "\(place) sends packets to interface \(use.index), and there is none",
                    consequence: isEntry
                        ? "whether it takes packets cannot be checked"
                        : "packets answered redirect are dropped",
                    remedy: isEntry
                        ? nil : "Set the program's target with --set, to what `ip link` shows before the name"
                )
            ]
        }
        var found: [PreflightFinding] = []
        if subject.mode == .native, use.index != subject.hook.index || target.kind == "veth" {
            switch target.support(.transmit) {
            case .supported:
                if subject.supportsFrags, subject.hasLargePackets,
                    target.support(.transmitFragments) == .unsupported
                {
                    found.append(
                        finding(
                            "redirect-frags", .error,
                            "\(place) sends packets to \(target.name), which takes no packets of several buffers",
                            "\(subject.hook.name) has an MTU of \(subject.hook.mtu), \(target.name) no ndo-xmit-sg",
                            consequence: "packets of more than \(subject.largestSingleBuffer) bytes are lost "
                                + "without a trace",
                            remedy: "Lower the MTU of \(subject.hook.name) to "
                                + "\(subject.largestSingleBuffer - 14), or use --mode generic"))
                }
            case .unsupported:
                found.append(
                    finding(
                        name, .error,
                        "\(place) sends packets to \(target.name), which cannot take them",
                        target.withoutTransmitReason,
                        consequence: "packets redirected there are lost without a trace",
                        remedy: target.withoutTransmitRemedy(
                            orGeneric: subject.request == nil
                                ? "unload the chain and load it with --mode generic" : "use --mode generic")))
            case .unknown(let reason):
                found.append(
                    finding(
                        name, .note,
                        "\(place) sends packets to \(target.name); whether it takes them cannot be checked, because "
                            + reason,
                        consequence: "they are lost if its driver does not take packets from XDP",
                        remedy: "See with traffic that packets arrive"))
            }
        }
        if !target.isUp {
            found.append(
                finding(
                    "redirect-down", .warning, "\(place) sends packets to \(target.name), which is down",
                    consequence: "packets redirected there are dropped until it is up",
                    remedy: "`ip link set dev \(target.name) up`"))
        }
        return found
    }

    private static func unknown(
        _ member: PreflightSubject.Member, _ redirect: ProgramAnalysis.Redirect
    ) -> PreflightFinding {
        PreflightFinding(
            name, .note, of: member.name, about: "any",
            "\(redirect.places.location(in: member.name)) redirects to an interface that is chosen at run time; "
                + "whether it takes packets cannot be checked",
            evidence: redirect.places.evidence(in: member.name),
            consequence: "packets to an interface without ndo-xmit are lost without a trace",
            remedy: "`xdpctl features` shows which interfaces take packets")
    }
}
