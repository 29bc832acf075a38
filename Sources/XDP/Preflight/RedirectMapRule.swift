// SPDX-License-Identifier: Apache-2.0

/// Maps that packets are redirected through, by what they hold: where there is no entry the packet gets the
/// fallback verdict of the program.
enum RedirectMapRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        subject.members.flatMap { member in
            member.redirects.compactMap { redirect -> PreflightFinding? in
                guard case .map(let place) = redirect.target, let map = member.maps[place],
                    map.content.isEmpty
                else { return nil }
                return empty(map, redirect, member, subject)
            }
                + generic(member, subject)
        }
    }

    /// An empty map is the rule before a daemon fills it.
    private static func empty(
        _ map: PreflightSubject.Map, _ redirect: ProgramAnalysis.Redirect, _ member: PreflightSubject.Member,
        _ subject: PreflightSubject
    ) -> PreflightFinding {
        let losing = (redirect.fallback ?? []).intersection([.aborted, .drop])
        let verdicts = redirect.fallback.map { set in
            set.sorted().map(\.description).joined(separator: " or ")
        }
        let (thing, remedy): (String, String) =
            switch map.type {
            case .socketMap:
                ("AF_XDP socket", "Start the program that opens the socket, on a queue that receives packets")
            case .processorMap:
                ("CPU", "Put CPUs in: `bpftool map update name \(map.name) …`, or start what does")
            default:
                (
                    "interface",
                    "Put interfaces in: `bpftool map update name \(map.name) …`, or start what does"
                )
            }
        return PreflightFinding(
            map.type == .socketMap ? "xsk-socket" : "redirect-empty", losing.isEmpty ? .note : .warning,
            of: member.name, about: map.name,
            "\(redirect.places.location(in: member.name)) redirects through \(map.name), which has no \(thing) yet",
            evidence: redirect.places.evidence(in: member.name) + ["\(map.name) (\(map.type)) is empty"],
            consequence: verdicts.map { "until then such packets are answered \($0)" }
                ?? "until then such packets are answered as the program says for an empty entry",
            remedy: remedy)
    }

    /// What generic mode does not do on every kernel.
    private static func generic(
        _ member: PreflightSubject.Member, _ subject: PreflightSubject
    ) -> [PreflightFinding] {
        guard subject.mode == .generic else { return [] }
        return member.redirects.compactMap { redirect in
            guard case .map(let place) = redirect.target, let map = member.maps[place] else { return nil }
            let location = redirect.places.location(in: member.name)
            let evidence = redirect.places.evidence(in: member.name)
            if map.type == .processorMap {
                switch subject.genericCPUMap {
                case .supported: return nil
                case .unsupported:
                    return PreflightFinding(
                        "generic-cpumap", .error, of: member.name, about: map.name,
                        "\(location) hands packets to other CPUs, which this kernel does not do in generic mode",
                        evidence: evidence + ["the kernel has no cpu_map_generic_redirect (Linux 5.15)"],
                        consequence: "packets redirected through \(map.name) are lost (EBADRQC)",
                        remedy: "Use native mode, or Linux 5.15 or newer")
                case .unknown(let reason):
                    return PreflightFinding(
                        "generic-cpumap", .note, of: member.name, about: map.name,
                        "\(location) hands packets to other CPUs; whether this kernel does that in generic mode "
                            + "cannot be checked, because \(reason)",
                        evidence: evidence, consequence: "before Linux 5.15 they are lost",
                        remedy: "Use native mode, or see with traffic that packets arrive")
                }
            }
            if map.type.isDeviceMap, subject.genericCPUMap == .unsupported,
                case .entries(let entries) = map.content, entries.contains(where: { $0.program != 0 })
            {
                return PreflightFinding(
                    "generic-devmap-program", .warning, of: member.name, about: map.name,
                    "\(map.name) has programs in its entries, which this kernel does not run in generic mode",
                    evidence: evidence, consequence: "packets leave without having passed them",
                    remedy: "Use native mode, or Linux 5.15 or newer")
            }
            return nil
        }
    }
}
