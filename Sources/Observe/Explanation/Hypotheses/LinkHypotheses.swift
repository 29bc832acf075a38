// SPDX-License-Identifier: Apache-2.0

/// Packets that do not get as far as a program.
extension Hypothesis {
    static let noLink = Hypothesis("no-link", "Is the interface without a link?") { facts in
        let name = facts.interface
        if !facts.features.isUp {
            return .applies([
                ExplanationFinding(
                    "no-link", .loss, "\(name) is down", evidence: ["the kernel: \(name) is not up"],
                    remedies: ["`ip link set dev \(name) up`"])
            ])
        }
        guard !facts.hasCarrier else { return .ruledOut("\(name) is up and has a carrier") }
        if let peer = facts.features.peer, !peer.isUp {
            return .applies([
                ExplanationFinding(
                    "no-link", .loss, "\(name) has no carrier, because its peer is down",
                    evidence: ["the kernel: \(peer.description) is not up"],
                    remedies: [peer.command("ip link set dev \(peer.name) up")])
            ])
        }
        return .applies([
            ExplanationFinding(
                "no-link", .loss, "\(name) is up and has no carrier",
                evidence: ["the kernel: no carrier"],
                remedies: [
                    "Look at the cable, the port of the switch and, on a TAP, whether a process has it open",
                    "`ethtool \(name)` says what the card sees",
                ])
        ])
    }

    static let noPackets = Hypothesis("no-packets", "Does nothing arrive at all?") { facts in
        let name = facts.interface
        guard facts.arrived == 0 else {
            return .ruledOut("\(Amount.packets(facts.arrived)) arrived")
        }
        guard facts.features.isUp, facts.hasCarrier else { return .ruledOut("without a link nothing can") }
        let before = facts.lostBeforeProgram
        guard before == 0 else {
            return .ruledOut(
                "\(Amount.packets(before)) came to \(name) and were lost before a program saw them")
        }
        var evidence = ["rx_packets of \(name) grew by 0 in \(Amount.seconds(facts.seconds))"]
        if facts.program?.isCounted == true { evidence.append("the chain counted 0 packets") }
        var remedies: [String] = []
        if let peer = facts.peer, let sent = peer.grown("tx_packets") {
            evidence.append("\(peer.description) sent \(Amount.packets(sent)) in that time")
        } else {
            remedies.append(
                "Look at the sender: its route, its neighbour table, its VLAN, the port of the switch")
        }
        remedies.append("Watch for longer, while something is sent: `xdpctl explain \(name) --for 60s`")
        return .applies([
            ExplanationFinding(
                "no-packets", .loss, "nothing arrived at \(name) in \(Amount.seconds(facts.seconds))",
                evidence: evidence, remedies: remedies)
        ])
    }

    static let ringFull = Hypothesis("ring-full", "Is a ring or queue before the program full?") { facts in
        var evidence: [String] = []
        var lost: UInt64 = 0
        for name in ["rx_missed_errors", "rx_fifo_errors", "rx_over_errors"] where facts.grown(name) > 0 {
            lost = max(lost, facts.grown(name))
            evidence.append("\(name) of \(facts.interface) grew by \(Amount.grouped(facts.grown(name)))")
        }
        let drivers = facts.driverGrowth(.neverSeen)
        for counter in drivers.prefix(4) {
            evidence.append("the driver: \(counter.name) grew by \(Amount.grouped(counter.value))")
        }
        lost = max(lost, drivers.map(\.value).max() ?? 0)
        var remedies: [String] = []
        if let rings = facts.features.rings, rings.receive < rings.maximumReceive {
            evidence.append("the ring has \(rings.receive) of at most \(rings.maximumReceive) places")
            remedies.append("`ethtool -G \(facts.interface) rx \(rings.maximumReceive)`")
        }
        if let peer = facts.peer, facts.lostInVethRing > 0 {
            lost = max(lost, facts.lostInVethRing)
            evidence.append(
                "\(peer.description) could not hand over \(Amount.packets(facts.lostInVethRing)) (its tx_dropped): "
                    + "a veth has a ring of 256 places")
        }
        guard lost > 0 else { return .ruledOut("no counter of lost packets of \(facts.interface) grew") }
        remedies += [
            "Give packets to more processors: more queues (`ethtool -L`), or RPS for a veth",
            "Make members do less for each packet: `xdpctl top` shows what they cost",
        ]
        return .applies([
            ExplanationFinding(
                "ring-full", .loss, packets: lost,
                "\(Amount.packets(lost)) came faster than they were taken, and were lost before any program",
                evidence: evidence, remedies: remedies)
        ])
    }

    static let tooLong = Hypothesis("too-long", "Are packets longer than the MTU?") { facts in
        let name = facts.interface
        var evidence: [String] = []
        var lost: UInt64 = 0
        if let peer = facts.features.peer, peer.mtu > facts.features.mtu, facts.lostToMTU > 0 {
            lost = facts.lostToMTU
            evidence = [
                "the MTU of \(peer.description) is \(peer.mtu), that of \(name) is \(facts.features.mtu)",
                "rx_dropped of \(name) grew by \(Amount.grouped(facts.grown("rx_dropped"))), before any program",
            ]
        }
        if facts.grown("rx_length_errors") > 0 {
            lost = max(lost, facts.grown("rx_length_errors"))
            evidence.append("rx_length_errors grew by \(Amount.grouped(facts.grown("rx_length_errors")))")
        }
        for counter in facts.driverGrowth(.tooLong).prefix(3) {
            lost = max(lost, counter.value)
            evidence.append("the driver: \(counter.name) grew by \(Amount.grouped(counter.value))")
        }
        guard lost > 0 else {
            return .ruledOut("no packet was lost for its length at an MTU of \(facts.features.mtu)")
        }
        var remedies = [
            "`ip link set dev \(name) mtu \(facts.features.peer?.mtu ?? 9000)`, or a smaller one at the sender"
        ]
        if facts.program?.mode == .native, facts.program?.supportsFrags == false {
            let most = facts.features.singleBuffer.largestMTU.map { " (here \($0))" } ?? ""
            remedies.append(
                "Beyond what one buffer holds\(most) all members have to be built as xdp.frags")
        }
        return .applies([
            ExplanationFinding(
                "too-long", .loss, packets: lost,
                "\(Amount.packets(lost)) were longer than \(name) takes, and were lost before any program",
                evidence: evidence, remedies: remedies)
        ])
    }
}

extension ExplanationFacts {
    /// Packets of a veth's peer that were too long for this end: they count as dropped on both sides.
    var lostToMTU: UInt64 {
        guard let peer = features.peer, peer.mtu > features.mtu,
            let refused = self.peer?.grown("tx_dropped")
        else { return 0 }
        return min(refused, droppedBehindDriver)
    }

    /// Packets of a veth's peer that found the ring full.
    var lostInVethRing: UInt64 {
        guard features.driver?.name == "veth", features.isUp, let refused = peer?.grown("tx_dropped") else {
            return 0
        }
        return refused - min(refused, lostToMTU)
    }

    /// Packets that came and were lost before a program could see them, as far as that is counted.
    var lostBeforeProgram: UInt64 {
        let errors =
            ["rx_missed_errors", "rx_fifo_errors", "rx_over_errors", "rx_length_errors"]
            .map { grown($0) }.max() ?? 0
        return max(errors, lostToMTU + lostInVethRing)
    }
}
