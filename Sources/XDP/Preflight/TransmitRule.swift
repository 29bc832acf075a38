// SPDX-License-Identifier: Apache-2.0

/// `tx` where the other end does not take XDP packets: they are gone, and only a counter of the driver knows.
enum TransmitRule: PreflightRule {
    static let name = "tx"

    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        // Other drivers that run programs send what they answer.
        guard subject.mode == .native, subject.hook.kind == "veth" else { return [] }
        let hook = subject.hook
        return subject.members.compactMap { member in
            let places = member.places(ending: .tx)
            guard !places.isEmpty else { return nil }
            let far = hook.peer?.description ?? "its other end"
            switch hook.support(.transmit) {
            case .supported: return nil
            case .unsupported:
                let isCertain = member.certainlyEnds(in: .tx)
                return PreflightFinding(
                    name, isCertain ? .error : .warning, of: member.name,
                    isCertain
                        ? "\(places.location(in: member.name)) sends packets back, and \(far) cannot take them"
                        : "\(member.name) may send packets back, and \(far) could not take them",
                    evidence: places.evidence(in: member.name) + [
                        "\(hook.name) has no ndo-xmit: \(far) has neither an XDP program nor GRO"
                    ],
                    consequence: "packets answered tx are lost without a trace",
                    remedy: hook.features?.peerRemedy)
            case .unknown(let reason):
                guard member.certainlyEnds(in: .tx) else { return nil }
                return PreflightFinding(
                    name, .note, of: member.name,
                    "\(places.location(in: member.name)) sends packets back; whether \(far) takes them cannot be "
                        + "checked, because \(reason)",
                    evidence: places.evidence(in: member.name),
                    consequence: "they are lost if \(far) has no XDP program",
                    remedy: "See with traffic that packets come back")
            }
        }
    }
}
