// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// How programs run, and what offloads make of packets before they see them.
extension Hypothesis {
    static let genericMode = Hypothesis("generic-mode", "Does the program run in generic mode without need?")
    { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        guard program.mode == .generic else {
            return .ruledOut("\(program.name) runs in \(program.mode) mode")
        }
        switch facts.nativeMode {
        case .supported: break
        case .unsupported: return .ruledOut("\(facts.features.driverName) has no native mode")
        case .unknown(let reason):
            return .unknown("\(reason); `xdpctl features \(facts.interface) --probe` tries it")
        }
        var evidence = [
            "\(program.name) is attached in generic mode; \(facts.features.driverName) can run it natively"
        ]
        if let longest = facts.sample?.value?.groups.map(\.longest).max(),
            longest > Int(facts.features.mtu) + 18
        {
            evidence.append(
                "a packet of \(longest) bytes was seen at an MTU of \(facts.features.mtu): GRO had joined several"
            )
        }
        return .applies([
            ExplanationFinding(
                "generic-mode", .cost, packets: facts.arrived,
                "packets meet \(program.name) late: after GRO, with a socket buffer allocated and their data copied",
                evidence: evidence,
                remedies: program.isChain
                    ? [
                        "`xdpctl export \(facts.interface) > chain.yaml`, take `mode: generic` out of it, "
                            + "`xdpctl unload \(facts.interface) --all` and `xdpctl apply chain.yaml`"
                    ]
                    : ["Have its loader attach it in native (driver) mode"])
        ])
    }

    static let driverFeature = Hypothesis(
        "driver-feature", "Does the driver lack what the program needs?"
    ) { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        let driver = facts.features.driverName
        var findings: [ExplanationFinding] = []
        if program.mode == .generic, facts.nativeMode == .unsupported {
            var remedies = ["Load it on a card whose driver runs programs: `xdpctl features` lists them"]
            if let lower = facts.relatives.first(where: { $0.relation == .lower || $0.relation == .port }) {
                remedies.insert("Load it on \(lower.name) instead, by which the packets come in", at: 0)
            }
            findings.append(
                ExplanationFinding(
                    "driver-feature", .cost, packets: facts.arrived,
                    "\(driver) cannot run programs, so the kernel does it in generic mode, which is several times slower",
                    evidence: (facts.features.native == .unsupported
                        ? ["the kernel: \(facts.interface) has no basic XDP"] : [])
                        + [
                            program.fellBack
                                ? "the chain was loaded with --mode auto and fell back"
                                : "\(program.name) is attached in generic mode"
                        ], remedies: remedies))
        }
        // What a driver cannot do it reports as an exception with the verdict.
        for (verdict, feature) in [(Verdict.redirect, InterfaceFeatures.Feature.redirect)] {
            let count = facts.events(.exception).filter { $0.key.verdict == verdict.rawValue }
                .reduce(0) { $0 + $1.count }
            guard count > 0, facts.features.features[feature] == .unsupported else { continue }
            findings.append(
                ExplanationFinding(
                    "driver-feature", .loss, packets: count,
                    "\(driver) cannot \(verdict), and dropped \(Amount.packets(count)) that were answered so",
                    evidence: [
                        "xdp:xdp_exception: \(Amount.grouped(count)) times, verdict \(verdict)",
                        "the kernel: \(facts.interface) has no \(feature.rawValue)",
                    ], remedies: ["Load with --mode generic, where every interface can", "Use another card"]))
        }
        return .applies(findings, else: "\(driver) has what \(program.name) needs")
    }

    static let joinedPackets = Hypothesis(
        "joined-packets", "Does the card join packets before the program sees them?"
    ) { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        let on = ["rx-lro", "rx-gro-hw"].filter { facts.features.offloads[$0] == true }
        guard !on.isEmpty else { return .ruledOut("neither LRO nor hardware GRO is on") }
        let longest = facts.sample?.value?.groups.map(\.longest).max() ?? 0
        let isSeen = longest > Int(facts.features.mtu) + 18
        return .applies([
            ExplanationFinding(
                "joined-packets", isSeen ? .cost : .risk,
                "the card joins packets of a connection, so \(program.name) may see one where several came",
                evidence: on.map { "ethtool: \($0): on" }
                    + (isSeen
                        ? ["a packet of \(longest) bytes was seen at an MTU of \(facts.features.mtu)"] : []),
                remedies: on.map {
                    "`ethtool -K \(facts.interface) \($0 == "rx-lro" ? "lro" : "rx-gro-hw") off`"
                })
        ])
    }

    static let hiddenTags = Hypothesis(
        "hidden-tags", "Does the card take VLAN tags out that a rule asks for?"
    ) { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        let rules = program.members.flatMap { member in
            member.rules.filter(\.asksForVLAN).map { (member.name, $0) }
        }
        guard !rules.isEmpty else { return .ruledOut("no rule of a filter asks for a VLAN") }
        guard facts.features.offloads["rx-vlan-hw-parse"] == true else {
            return .ruledOut("tags stay in the frame: rx-vlan-offload of \(facts.interface) is off")
        }
        if let met = rules.first(where: { $0.1.packets ?? 0 > 0 }) {
            return .ruledOut("\(met.1.name) of \(met.0) met \(Amount.packets(met.1.packets ?? 0)) with a tag")
        }
        let tagged = facts.sample?.value?.groups.reduce(0) { $0 + $1.tagged } ?? 0
        guard tagged == 0 else {
            return .ruledOut("\(tagged) of the packets looked at had a tag in the frame")
        }
        let uppers = facts.relatives.filter {
            $0.relation == .upper && $0.kind == "vlan" && $0.received ?? 0 > 0
        }
        let packets = uppers.reduce(0) { $0 + ($1.received ?? 0) }
        var evidence = ["ethtool: rx-vlan-hw-parse: on"]
        for (member, rule) in rules.prefix(3) {
            evidence.append("\(rule.name) of \(member): \(rule.text): 0 packets")
        }
        for upper in uppers.prefix(3) {
            evidence.append(
                "\(upper.name) (vlan) received \(Amount.packets(upper.received ?? 0)) in that time")
        }
        var remedies = ["`ethtool -K \(facts.interface) rxvlan off`"]
        if let peer = facts.features.peer {
            remedies.append(peer.command("ethtool -K \(peer.name) txvlan off"))
        }
        return .applies([
            ExplanationFinding(
                "hidden-tags", packets > 0 ? .loss : .risk, packets: packets > 0 ? packets : nil,
                packets > 0
                    ? "\(Amount.packets(packets)) had a VLAN tag that no program saw, and went past the rules that ask for it"
                    : "rules ask for VLAN tags, which \(facts.features.driverName) takes out of frames before programs see them",
                evidence: evidence, remedies: facts.features.peer == nil ? remedies : remedies.reversed())
        ])
    }
}

extension ExplanationFacts {
    /// Whether the driver can run programs: as the kernel says, or before it does (Linux 6.3) by what is known of drivers.
    var nativeMode: Support {
        guard case .unknown = features.native else { return features.native }
        if program?.fellBack == true { return .unsupported }
        return Self.nativeDrivers.contains(features.driver?.name ?? "") ? .supported : features.native
    }

    /// Drivers that run programs in Linux 5.10.
    private static let nativeDrivers: Set<String> = [
        "bnxt_en", "cpsw", "dpaa2_eth", "ena", "hv_netvsc", "i40e", "ice", "igb", "ixgbe", "ixgbevf",
        "mlx4_en", "mlx5_core",
        "mvneta", "mvpp2", "netsec", "nfp", "qede", "sfc", "thunder-nic", "tun", "veth", "virtio_net",
        "xen_netfront",
    ]
}

extension InterfaceFeatures {
    /// The driver, or the kind of the interface.
    var driverName: String { driver?.name ?? kind ?? "the driver" }
}
