// SPDX-License-Identifier: Apache-2.0

/// What has to be done to a chain so that it is as wanted. It is one swap, or none.
public struct ChainPlan: Sendable, Hashable {
    /// One difference, or one thing that stays.
    public enum Step: Sendable, Hashable {
        /// The interface gets its first chain.
        case attach(ModeRequest)
        /// The chain goes, with all members.
        case detach
        /// The program that somebody else attached becomes a member.
        case adopt(member: String, program: UInt32)
        case add(member: String, origin: String)
        /// New code, for these reasons.
        case replace(member: String, reasons: [String])
        case remove(member: String, isAdopted: Bool)
        /// As it is, with its maps.
        case keep(member: String)
        /// The same content in another file.
        case path(member: String, String)
        /// The members that stay stand in another order.
        case order([String])
        case edge(member: String, Verdict, from: Edge, to: Edge)
        case counters(from: CounterMode, to: CounterMode)
        case fallback(from: Verdict, to: Verdict)
    }

    public let steps: [Step]

    /// How often the program of the interface is exchanged: once, or not at all.
    public var swaps: Int {
        let isChange = steps.contains { step in
            if case .keep = step { false } else { true }
        }
        return isChange ? 1 : 0
    }

    /// Nothing is to be done, and nothing is there.
    public static let nothing = ChainPlan(steps: [])

    private init(steps: [Step]) {
        self.steps = steps
    }

    /// - Parameter occupant: what runs; nothing of it may be an obstacle.
    public init(from occupant: Occupant, to target: ChainTarget) {
        switch occupant {
        case .chain(let active) where !active.manifest.isClosed:
            self.init(from: active.manifest.chain, to: target)
        case .foreign(let program) where target.adoptee != nil:
            let rest = ChainPlan(from: nil, to: target).steps.filter { step in
                if case .attach = step { false } else { true }
            }
            let name = target.adoptee ?? ""
            self.init(steps: [.adopt(member: name, program: program.information.id)] + rest)
        case .foreign where target.members.isEmpty: self.init(steps: [])
        default: self.init(from: nil, to: target)
        }
    }

    /// - Parameter current: what runs; nil for nothing.
    public init(from current: Chain?, to target: ChainTarget) {
        guard !target.members.isEmpty else {
            steps = current.map { $0.members.map(Self.removal) + [.detach] } ?? []
            return
        }
        let wanted = Set(target.members.map(\.name))
        var steps: [Step] = current == nil ? [.attach(target.mode)] : []
        for member in current?.members ?? [] where !wanted.contains(member.name) {
            steps.append(Self.removal(of: member))
        }
        for member in target.members {
            steps += Self.steps(to: member, from: current?[member.name])
        }
        if let current {
            let old = current.members.map(\.name).filter(wanted.contains)
            let new = target.members.map(\.name).filter { current[$0] != nil }
            if old != new { steps.append(.order(new)) }
            if current.counters != target.counters {
                steps.append(.counters(from: current.counters, to: target.counters))
            }
            if current.fallback != target.fallback {
                steps.append(.fallback(from: current.fallback, to: target.fallback))
            }
        }
        self.steps = steps
    }

    private static func removal(of member: Member) -> Step {
        .remove(member: member.name, isAdopted: member.adopted != nil)
    }

    private static func steps(to wanted: ChainTarget.Member, from present: Member?) -> [Step] {
        guard let present else {
            switch wanted.source {
            case .object(_, let outline): return [.add(member: wanted.name, origin: outline.origin)]
            case .made(let maker): return [.add(member: wanted.name, origin: maker.origin)]
            case .adopted: return []
            }
        }
        var steps: [Step] = []
        switch wanted.source {
        case .adopted: steps.append(.keep(member: wanted.name))
        case .made(let maker):
            let reasons = maker.differences(from: present)
            steps.append(
                reasons.isEmpty
                    ? .keep(member: wanted.name) : .replace(member: wanted.name, reasons: reasons))
        case .object(let request, let outline):
            let reasons = present.differences(from: request, outline)
            steps.append(
                reasons.isEmpty
                    ? .keep(member: wanted.name) : .replace(member: wanted.name, reasons: reasons))
            if reasons.isEmpty, present.origin != outline.origin {
                steps.append(.path(member: wanted.name, outline.origin))
            }
        }
        for verdict in Verdict.allCases {
            let new = wanted.edges[verdict] ?? .standard(for: verdict)
            let old = present.edge(after: verdict)
            if old != new { steps.append(.edge(member: wanted.name, verdict, from: old, to: new)) }
        }
        return steps
    }
}

extension Member {
    /// Why the member is not what would be loaded now; empty where it is.
    func differences(from request: LoadRequest, _ outline: ObjectOutline) -> [String] {
        let wanted = MemberSettings(request)
        var reasons: [String] = []
        if digest != outline.digest { reasons.append("the object changed since it was loaded") }
        if unit.program != outline.program {
            reasons.append("another program: \(outline.program) instead of \(unit.program)")
        }
        if settings.variables != wanted.variables { reasons.append("other variables") }
        if settings.maximumEntries != wanted.maximumEntries { reasons.append("other sizes of maps") }
        if settings.reusedMaps != wanted.reusedMaps { reasons.append("other maps to reuse") }
        if settings.pinDirectory != wanted.pinDirectory { reasons.append("other pins of maps") }
        if settings.isIsolated != wanted.isIsolated {
            reasons.append(wanted.isIsolated ? "a program of its own" : "no program of its own any more")
        }
        return reasons
    }

    /// The member, as far as its maps may go over to one that is loaded with other settings.
    ///
    /// Global variables keep their values over a replacement, unless other values are asked for; and a map that
    /// was taken over from somebody else is not kept when that is no longer asked for.
    func inheritance(for request: LoadRequest) -> Member {
        let keepsVariables = settings.variables == request.variables
        var heir = self
        let kept = zip(unit.maps, mapIDs).filter { map, _ in
            if map.isInternal, !keepsVariables { return false }
            return settings.reusedMaps[map.name] == nil || request.reusedMaps[map.name] != nil
        }
        heir.unit.maps = kept.map(\.0)
        heir.mapIDs = kept.map(\.1)
        return heir
    }
}
