// SPDX-License-Identifier: Apache-2.0
import XDP

/// Checksums that a sender left to a card.
extension Hypothesis {
    static let checksum = Hypothesis(
        "checksum", "Do packets leave with checksums that nobody completed?"
    ) { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        guard program.mode == .native else {
            return .ruledOut("in \(program.mode) mode the kernel completes checksums")
        }
        let leaving = [Verdict.tx, .redirect].reduce(0) { $0 + (program.ended($1) ?? 0) }
        if program.isCounted, leaving == 0 { return .ruledOut("no packet left by tx or redirect") }
        // What another stack of this machine made may never have been on a wire.
        let isKnownTrap =
            facts.features.kind == "veth"
            ? facts.peer?.leavesChecksums != false : facts.features.driver?.name == "virtio_net"
        guard let sample = facts.sample?.value else {
            guard isKnownTrap else { return .ruledOut("packets come from a wire, with complete checksums") }
            return .unknown(
                "packets that were made on this machine may have incomplete checksums; with --sample some are looked at"
            )
        }
        let groups = sample.groups(of: .tx) + sample.groups(of: .redirect)
        let wrong = groups.reduce(0) { $0 + $1.wrong }
        let checked = groups.reduce(0) { $0 + $1.checked }
        guard wrong > 0 else {
            if checked == 0 { return .unknown("none of the packets looked at had a checksum of TCP or UDP") }
            return .ruledOut("\(checked) of the packets that left were looked at, and had right checksums")
        }
        var evidence = [
            "\(wrong) of \(checked) packets that left by tx or redirect had a wrong checksum of TCP or UDP"
        ]
        if facts.peer?.leavesChecksums == true, let peer = facts.peer {
            evidence.append(
                "ethtool: tx checksum offload of \(peer.description) is on, and a veth has nothing that completes them"
            )
        }
        evidence += groups.filter { $0.wrong > 0 }.flatMap(\.examples).prefix(2).map { "e.g. \($0)" }
        let remedy =
            facts.features.peer.map { $0.command("ethtool -K \($0.name) tx off") }
            ?? "`ethtool -K SENDER tx off` where the packets are made"
        return .applies([
            ExplanationFinding(
                "checksum", .loss,
                packets: leaving == 0 ? nil : leaving * UInt64(wrong) / UInt64(max(checked, 1)),
                "packets leave with checksums that the sender left to a card: receivers drop them",
                evidence: evidence,
                remedies: [remedy, "Generic mode completes them"])
        ])
    }
}
