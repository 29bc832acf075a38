// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// Builds the filter of a change, anew only where the filter that runs is another one than at the last try.
struct FilterWorkshop {
    let editor: FilterEditor
    let what: String
    private var built: FilterBuilder.Built?
    /// The maps of the filter that ``built`` was derived from.
    private var basis: [UInt32]?
    private var former: LiveFilter?
    private var source: FilterSource?
    private var name = LiveFilter.standardName
    private var gate: (member: Member, map: MapHandle, gate: FilterGate)?
    private var checks: [CheckFinding] = []
    private var hasChanged = false
    /// Also what was built in vain is held until the end, since the kernel may still look at it.
    private var shelf: [MapHandle] = []

    init(editor: FilterEditor, what: String) {
        self.editor = editor
        self.what = what
    }

    /// Makes the filter in the chain what is wanted; returns what the user should know.
    mutating func refit(
        _ chain: inout Chain, _ derive: (LiveFilter?) throws(XDPError) -> FilterSource
    ) throws(XDPError) -> [String] {
        var notes: [String] = []
        try choose(in: chain)
        if let open = try FilterGate.find(of: name, in: chain) {
            guard !open.isOpen else { throw waiting(open) }
            notes.append("the rules that were put on for \(open.seconds) s were not confirmed and are gone")
            try chain.takeBack(name)
        }
        if let member = chain[name], !LiveFilter.isFilter(member) {
            throw XDPError(
                .refused, what, because: "\(name) is a member that was loaded from \(member.origin)",
                remedy: "Choose another name with --name")
        }
        try build(in: chain, derive)
        guard let built else { return notes }
        hasChanged = former == nil || former?.record != nil && !same
        if hasChanged {
            try put(built, into: &chain)
        } else if let position = editor.position {
            try chain.move(name, to: position)
        }
        return notes
    }

    /// What happened, for the user; finishes what can be finished only now.
    func report(of change: ChangeReport) throws(XDPError) -> FilterReport {
        var report = FilterReport(change: change, name: name)
        report.isDryRun = editor.isDryRun
        report.change.checks = checks + report.change.checks
        if let source {
            let difference = RuleDifference(from: former?.rules, to: source.rules)
            report.added = difference.added
            report.removed = difference.removed
            report.kept = difference.kept
            report.isReordered = difference.isReordered
        }
        report.gate = hasChanged ? gate?.gate : nil
        if let built {
            report.sets = built.sets.changes
            report.warnings = built.sets.warnings
            if hasChanged, !editor.isDryRun { report.change.notes += built.finish() }
        }
        return report
    }

    // MARK: Steps

    private mutating func choose(in chain: Chain) throws(XDPError) {
        if let said = editor.name {
            name = said
        } else if !LiveFilter.names(in: chain).isEmpty {
            name = try LiveFilter.choose(nil, in: chain, on: editor.interface.name, what)
        } else {
            name = LiveFilter.standardName
        }
    }

    private var same: Bool {
        guard let built, let source else { return false }
        return FilterBuilder(source: source, former: former, compile: editor.compile).isSame(built)
    }

    private mutating func build(
        in chain: Chain, _ derive: (LiveFilter?) throws(XDPError) -> FilterSource
    ) throws(XDPError) {
        let present = chain[name]
        if built != nil, basis == present?.mapIDs { return }
        former = try LiveFilter(name, in: chain)
        basis = present?.mapIDs
        var source = try derive(former)
        if source.handlesFrags == nil { source.handlesFrags = needsFrags(in: chain) }
        self.source = source
        let new = try FilterBuilder(source: source, former: former, compile: editor.compile)
            .build(named: name)
        shelf += new.maps
        checks = try editor.check(
            Proposal(
                interface: editor.interface, rules: source.rules, former: former?.rules, sets: new.sets))
        if !editor.overridesChecks, let error = XDPError(what, refusedBy: checks) { throw error }
        built = new
    }

    /// The largest MTU with which no driver splits packets over several buffers.
    private static let largestSingleBuffer = 3000

    /// Whether packets of several buffers come: large ones, or any where all other members take them.
    private func needsFrags(in chain: Chain) -> Bool {
        if editor.interface.link.mtu > Self.largestSingleBuffer { return true }
        let own = [name, FilterGate.gateName(of: name), FilterGate.newName(of: name)]
        let others = chain.members.filter { !own.contains($0.name) }
        return !others.isEmpty && others.allSatisfy(\.unit.supportsFrags)
    }

    private mutating func put(_ built: FilterBuilder.Built, into chain: inout Chain) throws(XDPError) {
        if let seconds = editor.confirmSeconds {
            let gate = try makeGate(seconds, supportsFrags: built.member.unit.supportsFrags)
            try chain.insert(built.member, called: name, behind: gate, at: editor.position)
            return
        }
        guard let current = chain[name] else {
            return try chain.insert(built.member, at: editor.position ?? .first)
        }
        try chain.update(name) { member in
            var fresh = built.member
            fresh.edges = current.edges
            fresh.priority = current.priority
            fresh.counterSlot = current.counterSlot
            fresh.counterBaseline = current.counterBaseline
            fresh.settings.isIsolated = current.settings.isIsolated
            member = fresh
        }
        if let position = editor.position { try chain.move(name, to: position) }
    }

    private mutating func makeGate(_ seconds: UInt64, supportsFrags: Bool) throws(XDPError) -> Member {
        if let gate { return gate.member }
        guard Member.isValid(name: FilterGate.gateName(of: name)) else {
            throw XDPError(
                .invalid, what, because: "with --confirm the name of a filter has at most 58 characters")
        }
        let gate = FilterGate(seconds: seconds)
        do throws(BPFError) {
            let (member, map) = try gate.member(of: name, supportsFrags: supportsFrags)
            self.gate = (member, map, gate)
            shelf.append(map)
            return member
        } catch {
            throw XDPError(error, during: what)
        }
    }

    private func waiting(_ gate: FilterGate) -> XDPError {
        let interface = editor.interface.name
        return XDPError(
            .refused, what,
            because: "new rules of \(name) wait to be confirmed for another \(gate.remaining) s",
            remedy: "`xdpctl filter confirm \(interface)` keeps them, `xdpctl filter revert \(interface)` "
                + "gives them up")
    }
}
