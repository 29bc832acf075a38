// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import XDP

/// What runs on an interface at a moment, with what its members and rules have counted.
struct ProgramReading {
    let occupant: Occupant
    /// Packets that did not reach members, by name.
    private var missed: [String: UInt64] = [:]
    private var filters: [(filter: LiveFilter, counted: [RuleIdentity: Counter])] = []

    init(of interface: Interface) throws(XDPError) {
        occupant = try interface.occupant()
        guard case .chain(let active) = occupant else { return }
        let chain = active.manifest.chain
        // A chain that was exchanged a moment ago has no maps any more: what it counted is in the next one.
        guard let missed = try? active.missedPackets() else { return }
        for (member, packets) in zip(chain.members, missed) { self.missed[member.name] = packets }
        for filter in (try? LiveFilter.all(in: chain)) ?? [] {
            guard let counted = try? filter.counted() else { continue }
            filters.append((filter, counted))
        }
    }

    private var programIDs: Set<UInt32> {
        switch occupant {
        case .none: []
        case .chain(let active): [active.programID]
        case .foreign(let program), .unreadable(let program, _): [program.information.id]
        }
    }

    private var memberNames: [String] {
        guard case .chain(let active) = occupant else { return [] }
        return active.manifest.chain.members.map(\.name)
    }

    /// What happened since an earlier reading; nil where nothing runs.
    ///
    /// - Parameter samples: the chain's counters at both ends.
    func facts(
        since before: ProgramReading, _ samples: (before: InterfaceSample, after: InterfaceSample),
        on interface: Interface
    ) throws(XDPError) -> ProgramFacts? {
        let ids = programIDs.union(before.programIDs)
        switch occupant {
        case .none: return nil
        case .foreign(let program), .unreadable(let program, _):
            let checks = try? RunningChecks(of: program, on: interface)
            let name = program.information.name.isEmpty ? "without a name" : program.information.name
            let code = checks?.members.first ?? RunningChecks.Member(name: name, ends: Set(Verdict.allCases))
            return ProgramFacts(
                programIDs: ids, mode: program.mode, isChain: false,
                hasChanged: before.programIDs != programIDs,
                members: [ProgramFacts.Member(name: name, code: code)], checks: checks?.findings ?? [])
        case .chain(let active):
            let checks = try RunningChecks(of: active, on: interface)
            return ProgramFacts(
                programIDs: ids, mode: active.mode, isChain: true, fellBack: active.manifest.fellBack,
                supportsFrags: active.manifest.supportsFrags, fallback: active.manifest.chain.fallback,
                hasChanged: before.memberNames != memberNames,
                members: checks.members.map {
                    member(code: $0, active.manifest.chain.fallback, since: before, samples)
                },
                checks: checks.findings)
        }
    }

    private func member(
        code: RunningChecks.Member, _ fallback: Verdict, since before: ProgramReading,
        _ samples: (before: InterfaceSample, after: InterfaceSample)
    ) -> ProgramFacts.Member {
        var member = ProgramFacts.Member(name: code.name, code: code)
        if case .chain(let active) = occupant {
            member.isAdopted = active.manifest.chain[code.name]?.adopted != nil
        }
        let old = before.missed[code.name] ?? 0
        let new = missed[code.name] ?? 0
        member.missed = new > old ? new - old : 0
        if let counted = samples.after.member(code.name) {
            let now = counted.counters
            let then = samples.before.member(code.name)?.counters ?? MemberCounters()
            func grown(_ new: Counter, _ old: Counter) -> UInt64 {
                new.packets > old.packets ? new.packets - old.packets : 0
            }
            member.packets = Dictionary(
                uniqueKeysWithValues: Verdict.allCases.map { ($0, grown(now[$0], then[$0])) })
            member.unknown = grown(now.unknown, then.unknown)
            // What did not get to a program of its own is counted with the verdict that it got instead.
            guard counted.isSeparate else { return withRules(member, since: before) }
            let given = member.packets?[fallback] ?? 0
            member.packets?[fallback] = given - min(given, member.missed)
        }
        return withRules(member, since: before)
    }

    private func withRules(
        _ counted: ProgramFacts.Member, since before: ProgramReading
    ) -> ProgramFacts.Member {
        var member = counted
        if let (filter, counted) = filters.first(where: { $0.filter.member.name == member.name }) {
            let former = before.filters.first { $0.filter.name == filter.name }?.counted ?? [:]
            member.rules = Self.rules(of: filter, from: former, to: counted)
        }
        return member
    }

    private static func rules(
        of filter: LiveFilter, from before: [RuleIdentity: Counter], to after: [RuleIdentity: Counter]
    ) -> [ProgramFacts.Rule] {
        func grown(_ id: RuleID) -> UInt64? {
            guard let identity = filter.counters[id]?.identity, let new = after[identity] else { return nil }
            let old = before[identity]?.packets ?? 0
            return new.packets > old ? new.packets - old : 0
        }
        var rules = filter.rows(after).map { row in
            ProgramFacts.Rule(
                name: "rule \(row.number)" + (row.group.map { " of group \($0)" } ?? ""), text: row.rule.text,
                verdict: row.rule.action.decision, packets: grown(row.id),
                asksForVLAN: row.rule.match.asksForVLAN)
        }
        let policy = filter.rules.policy
        rules.append(
            ProgramFacts.Rule(
                name: "the default", text: "default \(policy == .aborted ? "abort" : policy.description)",
                verdict: policy, packets: grown(.policy)))
        return rules
    }
}

extension Action {
    /// What a packet gets of a rule that counted it; nil where it goes on.
    fileprivate var decision: Verdict? {
        switch self {
        case .decide(let verdict): verdict
        case .redirect: .redirect
        case .limit(let limit): limit.excess
        case .jump, .log, .count: nil
        }
    }
}

extension Match {
    /// Whether it depends on a VLAN tag.
    fileprivate var asksForVLAN: Bool {
        switch self {
        case .always: false
        case .all(let parts), .any(let parts): parts.contains(where: \.asksForVLAN)
        case .not(let part): part.asksForVLAN
        case .test(.number(let field, _)): field == .vlan || field == .innerVLAN
        case .test(.member(_, let fields)):
            fields.contains(.number(.vlan)) || fields.contains(.number(.innerVLAN))
        case .test: false
        }
    }
}
