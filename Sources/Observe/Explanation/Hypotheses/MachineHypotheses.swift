// SPDX-License-Identifier: Apache-2.0
import XDP

/// Processors, other programs, and what comes after XDP.
extension Hypothesis {
    static let processor = Hypothesis("processor", "Is a processor busy with nothing but packets?") { facts in
        guard !facts.processors.isEmpty else { return .unknown("/proc/stat could not be read") }
        let saturated = facts.processors.filter(\.isSaturated)
        guard !saturated.isEmpty else {
            let most = facts.processors.map(\.softirq).max() ?? 0
            return .ruledOut("no processor spent more than \(Amount.percent(most)) of its time in softirq")
        }
        var evidence = saturated.map { processor in
            "processor \(processor.number): \(Amount.percent(processor.softirq)) of its time in softirq, "
                + "\(Amount.percent(processor.idle)) idle"
                + (processor.processed > 0 ? ", \(Amount.packets(processor.processed)) to the stack" : "")
                + (processor.squeezed > 0
                    ? ", \(Amount.grouped(processor.squeezed)) times out of budget" : "")
        }
        let others = facts.processors.filter { !$0.isSaturated && $0.idle > 0.5 }
        var remedies: [String] = []
        let queues = ReceiveQueues.packets(facts)
        if !others.isEmpty {
            evidence.append(
                "\(others.count) other processor\(others.count == 1 ? " is" : "s are") mostly idle")
            if let only = queues.first, queues.count == 1 {
                evidence.append("all packets came by queue \(only.queue)")
            }
            remedies.append(
                facts.commandForMoreQueues.map { "Spread packets over more queues: `\($0)`" }
                    ?? "Spread packets: their hash (`ethtool -X`, `ethtool -N … rx-flow-hash`), or RPS")
        }
        remedies.append("Make members do less for each packet: `xdpctl top` shows what they cost")
        if facts.program?.mode == .generic { remedies.append("Use native mode") }
        return .applies([
            ExplanationFinding(
                "processor", .cost,
                "processor \(saturated.map { String($0.number) }.joined(separator: ", ")) is saturated with packets: what comes faster is lost",
                evidence: evidence, remedies: remedies)
        ])
    }

    static let otherProgram = Hypothesis(
        "other-program", "Does a program on another interface meet the packets first?"
    ) { facts in
        let running = facts.relatives.filter { $0.programID != nil }
        let before = running.filter { [.lower, .port].contains($0.relation) }
        let findings =
            before.map { relative -> ExplanationFinding in
                let dropped = relative.dropped.reduce(0) { $0 + $1.packets }
                let program = "program \(relative.programID ?? 0) (\(relative.mode) mode)"
                return ExplanationFinding(
                    "other-program", dropped > 0 ? .loss : .risk, packets: dropped > 0 ? dropped : nil,
                    dropped > 0
                        ? "packets of \(facts.interface) come in by \(relative.name), whose chain dropped \(Amount.packets(dropped))"
                        : "packets of \(facts.interface) come in by \(relative.name), where \(program) meets them first",
                    evidence: ["\(program) runs on \(relative.name)"]
                        + relative.dropped.filter { $0.packets > 0 }.map {
                            "its member \($0.member) dropped \(Amount.packets($0.packets))"
                        },
                    remedies: ["`xdpctl explain \(relative.name)`"])
            }
            + running.filter { $0.relation == .peer }.compactMap { peer -> ExplanationFinding? in
                let dropped = peer.dropped.reduce(0) { $0 + $1.packets }
                guard dropped > 0 else { return nil }
                return ExplanationFinding(
                    "other-program", .loss, packets: dropped,
                    "what \(facts.interface) sends comes in at \(peer.name), whose chain dropped \(Amount.packets(dropped))",
                    evidence: peer.dropped.filter { $0.packets > 0 }.map {
                        "its member \($0.member) dropped \(Amount.packets($0.packets))"
                    }, remedies: ["`xdpctl explain \(peer.name)`"])
            }
        return .applies(
            findings,
            else: running.isEmpty
                ? "no program runs on an interface below or beside it"
                : "programs on \(running.map(\.name).joined(separator: ", ")) do not meet what comes in here, or dropped nothing"
        )
    }

    static let attachFailed = Hypothesis("attach-failed", "Did somebody try to attach a program in vain?") {
        facts in
        if let reason = facts.blindness(.attachFailed) { return .unknown(reason) }
        let failed = facts.events(.attachFailed)
        let findings = Set(failed.map(\.text)).sorted().map { text in
            let count = failed.filter { $0.text == text }.reduce(0) { $0 + $1.count }
            return ExplanationFinding(
                "attach-failed", .risk,
                "a program could not be attached in this network namespace, \(count == 1 ? "once" : "\(Amount.grouped(count)) times"): no packet meets it",
                evidence: ["xdp:bpf_xdp_link_attach_failed: \(text)"],
                remedies: [
                    "`xdpctl monitor` shows when; `xdpctl features \(facts.interface)` what the interface gives"
                ])
        }
        return .applies(findings, else: "nobody tried to attach a program in vain")
    }

    static let stackDrops = Hypothesis("stack-drops", "Does the network stack drop packets after XDP?") {
        facts in
        let passed = facts.program?.ended(.pass)
        if facts.program != nil, passed == 0 { return .ruledOut("no packet was passed to the stack") }
        let arrived = passed ?? facts.arrived
        guard arrived > 0 else { return .ruledOut("nothing arrived") }
        var parts: [(packets: UInt64, text: String, remedy: String?)] = []
        let dropped = facts.droppedBehindDriver - min(facts.droppedBehindDriver, facts.lostToMTU)
        if dropped > 0 {
            parts.append(
                (
                    dropped,
                    "rx_dropped of \(facts.interface) grew by \(Amount.grouped(dropped)): no protocol took them",
                    "A VLAN, bridge or protocol that is not set up here: `ip -d link show \(facts.interface)`"
                ))
        }
        let foreign = facts.grown("rx_otherhost_dropped")
        if foreign > 0 {
            parts.append(
                (
                    foreign,
                    "rx_otherhost_dropped grew by \(Amount.grouped(foreign)): they were for other MAC addresses",
                    "The sender has a wrong neighbour entry, or a member changed addresses: `ip link show \(facts.interface)`"
                ))
        }
        let nobody = facts.grown("rx_nohandler")
        if nobody > 0 {
            parts.append(
                (nobody, "rx_nohandler grew by \(Amount.grouped(nobody)): an inactive port of a bond", nil))
        }
        let backlog = facts.processors.reduce(0) { $0 + $1.dropped }
        if backlog > 0 {
            parts.append(
                (
                    backlog,
                    "/proc/net/softnet_stat: \(Amount.grouped(backlog)) found the backlog full, of all interfaces",
                    "`sysctl -w net.core.netdev_max_backlog=…`, or more processors"
                ))
        }
        for counter in ProtocolDrops.all {
            guard let count = facts.protocols[counter.name], count > 0 else { continue }
            parts.append(
                (
                    count,
                    "\(counter.name) of this network namespace grew by \(Amount.grouped(count)): \(counter.meaning)",
                    counter.remedy
                ))
        }
        guard !parts.isEmpty else {
            return .ruledOut("the stack dropped nothing of the \(Amount.packets(arrived)) that it got")
        }
        // Counters of protocols are of all interfaces.
        let packets = min(arrived, parts.reduce(0) { $0 + $1.packets })
        return .applies([
            ExplanationFinding(
                "stack-drops", .loss, packets: packets,
                "the network stack dropped up to \(Amount.packets(packets))"
                    + (facts.program == nil
                        ? ": no program is attached, so it is not XDP"
                        : " after XDP had passed them on: it is not XDP"),
                evidence: parts.map(\.text), remedies: parts.compactMap(\.remedy))
        ])
    }
}

extension ExplanationFacts {
    /// What gives the interface as many queues as it has and processors can serve; nil where it has them.
    fileprivate var commandForMoreQueues: String? {
        guard let queues = features.queues else { return nil }
        let wanted = UInt32(clamping: processors.count)
        for (kind, now, most) in [
            ("combined", queues.combined, queues.maximumCombined),
            ("rx", queues.receive, queues.maximumReceive),
        ] where min(most, wanted) > now {
            return "ethtool -L \(interface) \(kind) \(min(most, wanted))"
        }
        return nil
    }
}

extension SoftirqLoad.Processor {
    /// No time for anything else, or hardly any and most of it for packets.
    var isSaturated: Bool { softirq >= 0.8 || idle <= 0.05 && softirq >= 0.4 }
}

/// Counters of `/proc/net/snmp` and `/proc/net/netstat` that say why a protocol dropped packets.
enum ProtocolDrops {
    struct Counter: Sendable {
        var name: String
        var meaning: String
        var remedy: String?
    }

    static let all = [
        Counter(name: "IpInHdrErrors", meaning: "IPv4 headers that are wrong", remedy: nil),
        Counter(
            name: "IpInAddrErrors", meaning: "for addresses that this machine does not have",
            remedy: "`ip address`, and `sysctl net.ipv4.ip_forward` if they were to be forwarded"),
        Counter(
            name: "IpInNoRoutes", meaning: "no route, or to nobody's address",
            remedy: "`ip route get ADDRESS`"),
        Counter(
            name: "IpExtInCsumErrors", meaning: "wrong checksums of IPv4", remedy: nil),
        Counter(
            name: "TcpExtIPReversePathFilter", meaning: "the way back is by another interface",
            remedy: "`sysctl net.ipv4.conf.all.rp_filter`"),
        Counter(
            name: "UdpNoPorts", meaning: "UDP to ports that no socket listens on", remedy: "`ss -lun`"),
        Counter(
            name: "UdpRcvbufErrors", meaning: "a UDP socket's buffer was full: its owner reads too slowly",
            remedy: "`ss -um` shows the sockets"),
        Counter(
            name: "UdpInCsumErrors", meaning: "wrong checksums of UDP",
            remedy: "A member may have changed packets, or the sender left checksums to a card"),
        Counter(
            name: "TcpInCsumErrors", meaning: "wrong checksums of TCP",
            remedy: "A member may have changed packets, or the sender left checksums to a card"),
        Counter(
            name: "TcpExtListenDrops", meaning: "a listening socket had no room",
            remedy: "`ss -ltn` shows backlogs"),
        Counter(name: "Ip6InHdrErrors", meaning: "IPv6 headers that are wrong", remedy: nil),
        Counter(
            name: "Ip6InAddrErrors", meaning: "for addresses that this machine does not have",
            remedy: "`ip -6 address`"),
        Counter(
            name: "Ip6InNoRoutes", meaning: "no route, or to nobody's address",
            remedy: "`ip -6 route get ADDRESS`"),
        Counter(
            name: "Udp6NoPorts", meaning: "UDP to ports that no socket listens on", remedy: "`ss -lun`"),
        Counter(
            name: "Udp6RcvbufErrors", meaning: "a UDP socket's buffer was full: its owner reads too slowly",
            remedy: "`ss -um` shows the sockets"),
    ]
}
