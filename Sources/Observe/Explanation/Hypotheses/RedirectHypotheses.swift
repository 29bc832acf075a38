// SPDX-License-Identifier: Apache-2.0
import XDP

/// Packets that were to go to another interface, processor or socket.
extension Hypothesis {
    static let noEntry = Hypothesis(
        "no-entry", "Does a redirect find no entry in its map?"
    ) { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        let maps = program.members.flatMap(\.code.redirects).filter { $0.mapType != nil && !$0.isToSockets }
        guard !maps.isEmpty else { return .ruledOut("no program redirects through a devmap or cpumap") }
        guard program.isCounted else { return .unknown("nobody counts what \(program.name) says") }
        var findings: [ExplanationFinding] = []
        for member in program.members {
            for verdict in [Verdict.aborted, .drop] {
                let packets = member.ended(verdict)
                let ways = member.code.redirects.filter {
                    !$0.isToSockets && $0.mapType != nil && $0.fallback?.contains(verdict) ?? false
                }
                guard packets > 0, let way = ways.first, member.code.givesOnlyByRedirect(verdict),
                    !member.code.redirects.contains(where: {
                        $0.isToSockets && $0.fallback?.contains(verdict) ?? false
                    })
                else { continue }
                let isEmpty = way.hasEntries == false
                findings.append(
                    ExplanationFinding(
                        "no-entry", .loss, packets: packets,
                        "\(Amount.packets(packets)) were to be redirected through \(way.mapName), which has no entry for them",
                        evidence: [
                            "the chain counted \(Amount.grouped(packets)) \(verdict) by \(member.name), which says so only where there "
                                + "is no entry",
                            isEmpty
                                ? "\(way.mapName) is empty"
                                : "\(way.mapName) has entries, but not for these packets",
                        ] + way.lines(in: member.name),
                        remedies: [
                            "Put in what is missing: `bpftool map update name \(way.mapName) …`, or start the process that does"
                        ]))
            }
        }
        return .applies(findings, else: "every redirect found an entry")
    }

    static let redirectTarget = Hypothesis(
        "redirect-target", "Is the target of a redirect unable to take packets?"
    ) { facts in
        if let reason = facts.whyNoRedirects { return .ruledOut(reason) }
        if let reason = facts.events.reason { return .unknown(reason) }
        let findings = RedirectFailure.all(of: facts).compactMap { $0.targetFinding(facts) }
        return .applies(findings, else: "every target of a redirect took packets")
    }

    static let redirectSize = Hypothesis(
        "redirect-size", "Are redirected packets too long for their target?"
    ) { facts in
        if let reason = facts.whyNoRedirects { return .ruledOut(reason) }
        if let reason = facts.events.reason { return .unknown(reason) }
        let findings = RedirectFailure.all(of: facts).compactMap { $0.sizeFinding(facts) }
        return .applies(findings, else: "no redirected packet was too long for its target")
    }

    static let redirectQueue = Hypothesis(
        "redirect-queue", "Is the queue of a redirect's target full?"
    ) { facts in
        if let reason = facts.whyNoRedirects { return .ruledOut(reason) }
        if let reason = facts.events.reason { return .unknown(reason) }
        var findings = RedirectFailure.all(of: facts).compactMap { $0.queueFinding(facts) }
        let full = facts.events(.cpumapEnqueue).filter { $0.dropped > 0 }
        if let first = full.first {
            let packets = full.reduce(0) { $0 + $1.dropped }
            let processors = Set(full.map(\.key.cpu)).sorted().map(String.init).joined(separator: ", ")
            findings.append(
                ExplanationFinding(
                    "redirect-queue", .loss, packets: packets,
                    "\(Amount.packets(packets)) found the queue of processor \(processors) full",
                    evidence: [
                        "xdp:xdp_cpumap_enqueue: \(Amount.grouped(packets)) dropped, map "
                            + facts.mapName(first.key.map)
                    ],
                    remedies: [
                        "Give the entry a longer queue, or spread the packets over more processors"
                    ]))
        }
        return .applies(findings, else: "no queue of a target was full")
    }

    static let transmit = Hypothesis("transmit", "Are packets lost that are sent back?") { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        if program.ended(.tx) == 0 { return .ruledOut("no packet was answered tx") }
        guard facts.failedTransmits > 0 else {
            if !program.isCounted, let reason = facts.events.reason { return .unknown(reason) }
            return .ruledOut("every packet that was answered tx was sent")
        }
        let packets = facts.failedTransmits
        let told = facts.events(.bulkTransmit).reduce(0) { $0 + $1.dropped }
        var evidence: [String] = []
        if told > 0 { evidence.append("xdp:xdp_bulk_tx: \(Amount.grouped(told)) dropped") }
        for counter in facts.unsentCounters {
            evidence.append("the driver: \(counter.name) grew by \(Amount.grouped(counter.value))")
        }
        let obstacle = facts.features.obstacles.first { $0.rule == "peer-napi" }
        evidence += obstacle?.evidence ?? []
        let remedies = [obstacle?.remedy].compactMap { $0 }
        return .applies([
            ExplanationFinding(
                "transmit", .loss, packets: packets,
                "\(Amount.packets(packets)) were to be sent back and were lost"
                    + (obstacle == nil ? "" : ": the other end takes no packets from programs"),
                evidence: evidence,
                remedies: remedies.isEmpty
                    ? [
                        "Look at the card's transmit queues: `ethtool -S \(facts.interface)`, `ethtool -l \(facts.interface)`"
                    ]
                    : remedies)
        ])
    }
}

extension ExplanationFacts {
    /// Why nothing can have gone wrong with redirects; nil where it can have.
    var whyNoRedirects: String? {
        guard let program else { return "no program is attached" }
        if program.ended(.redirect) == 0 { return "no packet was redirected" }
        let mayRedirect = program.members.contains {
            $0.code.analysis?.verdictSet.contains(.redirect) ?? true
        }
        if !program.isCounted, !mayRedirect { return "nothing in \(program.name) says redirect" }
        return nil
    }

    /// The name of a map with its id.
    func mapName(_ id: UInt32) -> String {
        guard let name = maps[id], !name.isEmpty else { return "id \(id)" }
        return "\(name) (id \(id))"
    }
}
