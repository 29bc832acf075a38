// SPDX-License-Identifier: Apache-2.0
import XDP

/// What programs say about packets.
extension Hypothesis {
    static let aborted = Hypothesis("aborted", "Does a program answer aborted?") { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        guard program.isCounted else {
            return exceptions(facts, "aborted", "answered aborted", "no program answered aborted") { $0 == 0 }
        }
        let findings = program.members.compactMap { member -> ExplanationFinding? in
            let packets = member.ended(.aborted)
            guard packets > 0, !member.code.givesOnlyByRedirect(.aborted) else { return nil }
            let told = facts.events(.exception).filter { $0.key.verdict == 0 }.reduce(0) { $0 + $1.count }
            return ExplanationFinding(
                "aborted", .loss, packets: packets,
                "\(member.name) answered aborted for \(Amount.packets(packets)), which were dropped",
                evidence: ["the chain counted \(Amount.grouped(packets)) aborted by \(member.name)"]
                    + (told > 0 ? ["xdp:xdp_exception: \(Amount.grouped(told)) times"] : [])
                    + member.rulesEvidence(.aborted) + member.code.lines(giving: .aborted)
                    + facts.examples(.aborted, of: member.name),
                remedies: member.rules.isEmpty
                    ? [
                        "A program says so when it finds an error in itself: look at the lines above, and at what its maps hold",
                        // Behind the last member the chain ends, with its verdict.
                        program.members.last?.name == member.name
                            ? "`xdpctl unload \(facts.interface) \(member.name)` takes it out"
                            : "`xdpctl edge \(facts.interface) \(member.name) aborted=next` lets such packets go on",
                    ]
                    : [
                        "Change the rule: "
                            + "`xdpctl filter list \(facts.interface)\(program.filterOption(member)) --counters --numbers`"
                    ])
        }
        return .applies(findings, else: "no member answered aborted")
    }

    static let unknownVerdict = Hypothesis(
        "unknown-verdict", "Does a program answer with what is no verdict?"
    ) { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        guard program.isCounted else {
            return exceptions(
                facts, "unknown-verdict", "answered with a number that is no verdict",
                "no program answered with what is no verdict"
            ) { $0 > 4 }
        }
        let findings = program.members.compactMap { member -> ExplanationFinding? in
            guard member.unknown > 0 else { return nil }
            let codes = Set(facts.events(.exception).map(\.key.verdict).filter { $0 > 4 }).sorted()
            return ExplanationFinding(
                "unknown-verdict", .loss, packets: member.unknown,
                "\(member.name) answered \(Amount.packets(member.unknown)) with a number that is no verdict; the kernel dropped "
                    + "them",
                evidence: [
                    "the chain counted \(Amount.grouped(member.unknown)) such packets of \(member.name)"
                ]
                    + (codes.isEmpty
                        ? []
                        : ["xdp:xdp_exception: verdict \(codes.map(String.init).joined(separator: ", "))"])
                    + member.code.linesOfOtherCodes,
                remedies: [
                    "Correct the program: it has to return 0 to 4; `xdpctl inspect` shows what it can return"
                ])
        }
        return .applies(findings, else: "every answer was a verdict")
    }

    /// Where nobody counts, exceptions tell.
    private static func exceptions(
        _ facts: ExplanationFacts, _ name: String, _ what: String, _ without: String,
        _ isMeant: (UInt32) -> Bool
    ) -> Conclusion {
        if let reason = facts.blindness(.exception) { return .unknown(reason) }
        let found = facts.events(.exception).filter { isMeant($0.key.verdict) }
        let count = found.reduce(0) { $0 + $1.count }
        guard count > 0 else { return .ruledOut("\(without): xdp:xdp_exception told of none") }
        let program = facts.program?.name ?? "the program"
        return .applies([
            ExplanationFinding(
                name, .loss, packets: count, "\(program) \(what): \(Amount.packets(count)) were dropped",
                evidence: ["xdp:xdp_exception: \(Amount.grouped(count)) times"],
                remedies: [
                    "`xdpctl inspect --id \(found.first?.key.program ?? 0)` shows what it can return, and where"
                ])
        ])
    }

    static let memberDrops = Hypothesis("member-drops", "Does a program drop packets?") { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        guard program.isCounted else { return uncountedDrops(facts, program) }
        let findings = program.members.compactMap { member -> ExplanationFinding? in
            let packets = member.ended(.drop)
            guard packets > 0, !member.code.givesOnlyByRedirect(.drop) else { return nil }
            let rule = member.mainRule(.drop)
            let part = member.total.map { " of \(Amount.grouped($0)) that came to it" } ?? ""
            return ExplanationFinding(
                "member-drops", .loss, packets: packets,
                "\(member.name) dropped \(Amount.packets(packets))\(part)"
                    + (rule.map { ", by \($0)" } ?? ""),
                evidence: ["the chain counted \(Amount.grouped(packets)) dropped by \(member.name)"]
                    + member.rulesEvidence(.drop)
                    + (member.rules.isEmpty ? member.code.lines(giving: .drop) : [])
                    + facts.examples(.drop, of: member.name),
                remedies: member.dropRemedies(on: facts.interface, program.filterOption(member)))
        }
        return .applies(findings, else: "no member dropped a packet")
    }

    /// Programs of others: only some drivers count what they drop.
    private static func uncountedDrops(_ facts: ExplanationFacts, _ program: ProgramFacts) -> Conclusion {
        let canDrop = program.members.contains { $0.code.analysis?.verdictSet.contains(.drop) ?? true }
        guard canDrop else { return .ruledOut("nothing in \(program.name) says drop") }
        guard let dropped = facts.xdpDropsOfDriver else {
            return .unknown(
                "nobody counts what \(program.name) says" + program.adviceToCount(facts.interface))
        }
        // What is aborted counts as dropped, too.
        let aborted = facts.events(.exception).reduce(0) { $0 + $1.count }
        guard dropped > aborted else {
            return .ruledOut("\(facts.features.driverName) counted no packet that was dropped")
        }
        return .applies([
            ExplanationFinding(
                "member-drops", .loss, packets: dropped - aborted,
                "\(program.name) dropped \(Amount.packets(dropped - aborted))",
                evidence: [
                    "\(facts.features.driverName) counted \(Amount.packets(dropped)) dropped by programs"
                ]
                    + program.members.flatMap { $0.code.lines(giving: .drop) },
                remedies: [
                    "`xdpctl status \(facts.interface)` says who loaded it",
                    "`xdpctl inspect --id \(program.programIDs.max() ?? 0)` shows what it can return, and where",
                ])
        ])
    }

    static let tailCalls = Hypothesis("tail-calls", "Are tail calls used up?") { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        guard program.isChain else { return .ruledOut("\(program.name) is no chain") }
        let findings = program.members.compactMap { member -> ExplanationFinding? in
            guard member.missed > 0 else { return nil }
            let isLoss = program.fallback == .aborted || program.fallback == .drop
            return ExplanationFinding(
                "tail-calls", isLoss ? .loss : .risk, packets: member.missed,
                "\(Amount.packets(member.missed)) did not get to \(member.name), because they had used up the kernel's 33 tail calls, or its place was empty",
                evidence: [
                    "the chain counted \(Amount.grouped(member.missed)) missed by \(member.name)",
                    "such packets get the chain's fallback verdict, \(program.fallback)",
                ],
                remedies: [
                    "`xdpctl move \(facts.interface) \(member.name) --first`, before members that do tail calls",
                    "`xdpctl status \(facts.interface)` says which members are called, isolated or adopted: each needs tail calls",
                    "`xdpctl fallback \(facts.interface) pass` lets such packets through unseen",
                ])
        }
        return .applies(findings, else: "no packet had used up its tail calls")
    }
}

extension ProgramFacts {
    /// How the packets of each verdict get counted, behind a clause that says that they are not.
    func adviceToCount(_ interface: String) -> String {
        isChain
            ? "; `xdpctl counters \(interface) packets` switches that on"
            : "; with --sample it is adopted for the time, and counted"
    }

    /// What commands need to mean one of several filters.
    fileprivate func filterOption(_ member: Member) -> String {
        members.count { !$0.rules.isEmpty } > 1 ? " --name \(member.name)" : ""
    }
}

extension ProgramFacts.Member {
    /// The rules of a filter that gave a verdict, those that did most often first.
    func rulesEvidence(_ verdict: Verdict) -> [String] {
        let met = rules.filter { $0.verdict == verdict && $0.packets ?? 0 > 0 }
            .sorted { $0.packets ?? 0 > $1.packets ?? 0 }
        return met.prefix(5).map { "\($0.name): \($0.text): \(Amount.packets($0.packets ?? 0))" }
            + (met.count > 5 ? ["and \(met.count - 5) more rules"] : [])
    }

    fileprivate func dropRemedies(on interface: String, _ option: String) -> [String] {
        guard rules.isEmpty else {
            let rule = rules.filter { $0.verdict == .drop && $0.packets ?? 0 > 0 }
                .max { $0.packets ?? 0 < $1.packets ?? 0 }
            if let rule, rule.name.hasPrefix("rule "), !rule.name.contains("group") {
                let quoted = rule.text.split(separator: "'", omittingEmptySubsequences: false)
                    .joined(separator: "'\\''")
                return ["If that is not wanted: `xdpctl filter delete \(interface)\(option) '\(quoted)'`"]
            }
            return [
                "If that is not wanted, change the rules: `xdpctl filter list \(interface)\(option) --counters`"
            ]
        }
        guard !isAdopted else {
            return [
                "If that is not wanted, ask who loaded it: `xdpctl status \(interface)` says who that was"
            ]
        }
        return [
            "If that is not wanted, look at what its maps hold, or take it out: `xdpctl unload \(interface) \(name)`"
        ]
    }
}

extension ExplanationFacts {
    /// Packets that were captured with a verdict: "e.g. udp 10.0.0.2:53 > 10.0.0.1:999 len 60".
    func examples(_ verdict: Verdict, of member: String? = nil) -> [String] {
        (sample?.value?.groups(of: verdict, member: member) ?? []).flatMap(\.examples).prefix(3)
            .map { "e.g. \($0)" }
    }
}
