// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// Changes filters on an interface: reads the rules from the kernel, has them changed, compiles them, and swaps
/// the new filter in only if the old one is still the one that was read; otherwise everything is done again.
public struct FilterEditor: Sendable {
    public let interface: Interface
    /// Which filter; nil for the only one, or, where there is none, ``LiveFilter/standardName``.
    public var name: String?
    /// Where the filter goes in the chain; nil leaves it where it is, and puts a new one first.
    public var position: Position?
    /// How to attach a new chain; an existing one keeps its mode.
    public var mode: ModeRequest?
    /// Whether a change is made although a check before it finds an error.
    public var overridesChecks = false
    /// Whether changes are only tried: compiled, and shown to the verifier.
    public var isDryRun = false
    /// For how many seconds new rules hold unless they are confirmed; nil for good.
    public var confirmSeconds: UInt64?
    /// What new rules are held against before they are put on.
    public var check: @Sendable (Proposal) throws(XDPError) -> [CheckFinding] = {
        (proposal) throws(XDPError) in try proposal.lockout()
    }
    /// What rule sets are compiled with.
    package var compile: @Sendable (CompilerInput) throws(XDPError) -> CompiledFilter = {
        (input) throws(XDPError) in try FilterCompiler.compile(input)
    }

    public init(_ interface: Interface) {
        self.interface = interface
    }

    /// Puts rules on the interface, in the place of those that the filter has.
    public func apply(_ source: FilterSource) throws(XDPError) -> FilterReport {
        let what = "The rules cannot be put on \(interface.name)"
        return try change(what) { (_) throws(XDPError) in source }
    }

    /// Changes the rules of a filter that is there.
    ///
    /// - Parameter edit: called once for each try, with the rules as they then are.
    public func edit(
        _ what: String, _ edit: (inout RuleSet) throws(XDPError) -> Void
    ) throws(XDPError) -> FilterReport {
        let interface = self.interface.name
        return try change(what) { (present) throws(XDPError) in
            guard let present else {
                throw XDPError(
                    .refused, what, because: "\(interface) has no filter",
                    remedy: "`xdpctl filter apply \(interface) FILE` puts one there")
            }
            var rules = present.rules
            try edit(&rules)
            return FilterSource(rules, like: present)
        }
    }

    /// Gives a set of the filter maps with more room; everything else stays.
    public func enlarge(_ set: String, toHold count: Int) throws(XDPError) -> FilterReport {
        let what = "The set \(set) on \(interface.name) cannot get more room"
        return try change(what) { (present) throws(XDPError) in
            guard let present, present.rules.set(set) != nil else {
                throw XDPError(.refused, what, because: "there is no such set any more")
            }
            var source = FilterSource(present.rules, like: present)
            source.rooms = [set: count]
            return source
        }
    }

    /// Takes the filter off the interface.
    public func remove(droppingEdges: Bool = false) throws(XDPError) -> ChangeReport {
        let what = "The filter cannot be taken off \(interface.name)"
        return try chainEditor.change(what, checks: .none) { chain throws(XDPError) in
            let chosen = try LiveFilter.choose(name, in: chain, on: interface.name, what)
            try chain.takeBack(chosen)
            if chain[chosen] != nil { try chain.remove(chosen, droppingEdges: droppingEdges) }
            return []
        }
    }

    // MARK: A change

    /// Does a change of rules.
    ///
    /// - Parameter derive: the new rules, from the filter that runs; nil for none.
    private func change(
        _ what: String, _ derive: (LiveFilter?) throws(XDPError) -> FilterSource
    ) throws(XDPError) -> FilterReport {
        var workshop = FilterWorkshop(editor: self, what: what)
        // What was made has to live until the kernel knows it as part of the chain.
        defer { withExtendedLifetime(workshop) {} }
        let change = try chainEditor.change(what, mode: mode) { chain throws(XDPError) in
            try workshop.refit(&chain, derive)
        }
        return try workshop.report(of: change)
    }

    var chainEditor: ChainEditor {
        var editor = ChainEditor(interface)
        editor.overridesChecks = overridesChecks
        if isDryRun { editor.rehearse(loading: true) }
        return editor
    }
}
