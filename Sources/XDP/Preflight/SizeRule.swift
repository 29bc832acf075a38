// SPDX-License-Identifier: Apache-2.0

/// Packets that are larger than one buffer.
enum SizeRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        guard subject.mode == .native else { return [] }
        return [mixed(subject), mtu(subject)].compactMap(\.self)
    }

    /// One member that does not handle several buffers makes a chain that does not.
    private static func mixed(_ subject: PreflightSubject) -> PreflightFinding? {
        guard let first = subject.withoutFrags.first,
            let other = subject.members.first(where: { $0.supportsFrags == true })
        else { return nil }
        let names = subject.withoutFrags.joined(separator: ", ")
        return PreflightFinding(
            "frags", .note, of: other.name,
            "the chain does not handle packets of several buffers (xdp.frags), because \(first) does not",
            evidence: ["\(other.name) is built as xdp.frags, \(names) not"],
            consequence:
                "\(subject.hook.name) takes MTUs up to about \(subject.largestSingleBuffer - 14) only",
            remedy: "Build \(names) for the section xdp.frags")
    }

    private static func mtu(_ subject: PreflightSubject) -> PreflightFinding? {
        // What is attached was taken; the kernel checks the rest at each swap.
        guard subject.request != nil, !subject.supportsFrags, !subject.members.isEmpty else { return nil }
        let hook = subject.hook
        let most = subject.largestSingleBuffer - 14
        if hook.kind == "veth" {
            guard let peer = hook.peer, peer.mtu > most else { return nil }
            return .mtu(
                hook, .error, "the MTU of \(peer.name), the other end of \(hook.name), is \(peer.mtu)",
                evidence: "veth takes packets in one buffer up to an MTU of \(most)", most, of: peer.name)
        }
        // Which limit a driver has only the attempt tells.
        guard hook.mtu > most, hook.features != nil else { return nil }
        return .mtu(
            hook, .warning, "the MTU of \(hook.name) is \(hook.mtu)",
            evidence: "a page has \(subject.pageSize) bytes", most, of: hook.name)
    }
}

extension PreflightFinding {
    static func mtu(
        _ hook: PreflightSubject.Hook, _ severity: CheckFinding.Severity, _ what: String, evidence: String,
        _ most: UInt32, of end: String
    ) -> PreflightFinding {
        PreflightFinding(
            "mtu", severity, of: hook.name, "\(what), and the members take packets in one buffer only",
            evidence: [evidence],
            consequence: severity == .error
                ? "the kernel refuses to attach" : "the driver may refuse to attach",
            remedy: "`ip link set dev \(end) mtu \(most)`, use members that are all built as xdp.frags, or "
                + "--mode generic")
    }
}
