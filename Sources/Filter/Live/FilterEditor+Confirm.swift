// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

extension FilterEditor {
    /// What became of new rules that were put on for a time.
    public enum Settlement: String, Sendable, Hashable {
        /// They are the filter now.
        case confirmed
        /// The old ones are alone again.
        case reverted
        /// They had been given up already: the time was over.
        case expired
    }

    /// Keeps the new rules. Where the time is over the old ones stay, which is said and no error of its own.
    public func confirm() throws(XDPError) -> (settlement: Settlement, name: String, change: ChangeReport) {
        try settle("The new rules on \(interface.name) cannot be confirmed", keeping: true)
    }

    /// Gives the new rules up.
    public func revert() throws(XDPError) -> (settlement: Settlement, name: String, change: ChangeReport) {
        try settle("The old rules on \(interface.name) cannot be put back", keeping: false)
    }

    private func settle(
        _ what: String, keeping: Bool
    ) throws(XDPError) -> (settlement: Settlement, name: String, change: ChangeReport) {
        var settlement = Settlement.reverted
        var chosen = ""
        let report = try chainEditor.change(what, checks: .none) { chain throws(XDPError) in
            chosen = try waiting(in: chain, what)
            let gate = try FilterGate.find(of: chosen, in: chain)
            let isOpen = gate?.isOpen ?? false
            settlement = !isOpen ? .expired : keeping ? .confirmed : .reverted
            if settlement == .confirmed {
                try carryCounters(of: chosen, in: &chain)
                try chain.confirm(chosen)
            } else {
                try chain.takeBack(chosen)
            }
            return []
        }
        return (settlement, chosen, report)
    }

    /// The filter that is meant, of those that have rules which wait.
    private func waiting(in chain: Chain, _ what: String) throws(XDPError) -> String {
        let names = LiveFilter.names(in: chain)
        let waiting = names.filter { chain[FilterGate.gateName(of: $0)] != nil }
        let meant = name.map { said in waiting.filter { $0 == said } } ?? waiting
        guard let first = meant.first else {
            throw XDPError(
                .refused, what,
                because: name.map { "no new rules of \($0) wait on \(interface.name)" }
                    ?? "no new rules wait on \(interface.name)",
                remedy: "`xdpctl filter apply --confirm 60s` puts some on for a time")
        }
        guard meant.count == 1 else {
            throw XDPError(
                .refused, what,
                because: "new rules of several filters wait on \(interface.name): "
                    + meant.joined(separator: ", "),
                remedy: "Say which with --name")
        }
        return first
    }

    /// What the old rules' member counted of verdicts becomes part of what the new one's did, so that nothing is
    /// lost by the exchange.
    private func carryCounters(of name: String, in chain: inout Chain) throws(XDPError) {
        guard let old = chain[name],
            case .chain(let active) = try Interface(named: interface.name).occupant(),
            let counted = try active.counters(),
            let place = active.manifest.chain.members.firstIndex(where: { $0.name == name }),
            active.manifest.chain.members[place].counterSlot == old.counterSlot
        else { return }
        try chain.update(FilterGate.newName(of: name)) { member in
            for (code, counter) in counted[place].values.enumerated() {
                member.counterBaseline.values[code].packets &-= counter.packets
                member.counterBaseline.values[code].bytes &-= counter.bytes
            }
        }
    }
}
