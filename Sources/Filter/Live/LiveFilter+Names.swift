// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

extension LiveFilter {
    /// What a filter is called when nothing is said.
    public static let standardName = "filter"

    /// The names of all filters, in the order of the chain. One whose new rules wait to be confirmed counts
    /// once.
    public static func names(in chain: Chain) -> [String] {
        var names: [String] = []
        for member in chain.members {
            let name: String
            if FilterGate.mapID(of: member) != nil, member.name.hasSuffix(".gate") {
                name = String(member.name.dropLast(5))
            } else if isFilter(member) {
                name = Self.name(of: member, in: chain)
            } else {
                continue
            }
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Whether a member has a filter's record; nothing is said of whether that can be read.
    public static func isFilter(_ member: Member) -> Bool {
        member.unit.maps.contains { $0.definition.name == FilterRecord.mapName }
    }

    /// The name of the filter that a member belongs to.
    private static func name(of member: Member, in chain: Chain) -> String {
        guard member.name.hasSuffix(".new") else { return member.name }
        let name = String(member.name.dropLast(4))
        return chain[FilterGate.gateName(of: name)] == nil ? member.name : name
    }

    /// The filter that is meant: that of a name, or the only one.
    static func choose(
        _ name: String?, in chain: Chain, on interface: String, _ what: String
    ) throws(XDPError) -> String {
        let names = names(in: chain)
        if let name {
            guard names.contains(name) else { throw missing(what, name, in: chain, on: interface) }
            return name
        }
        guard let only = names.first else { throw missing(what, nil, in: chain, on: interface) }
        guard names.count == 1 else {
            throw XDPError(
                .refused, what,
                because: "\(interface) has several: \(names.joined(separator: ", "))",
                remedy: "Say which one with --name")
        }
        return only
    }

    static func missing(
        _ what: String, _ name: String?, in chain: Chain, on interface: String
    ) -> XDPError {
        let names = names(in: chain)
        if let name, let member = chain[name], !names.contains(name) {
            return XDPError(
                .refused, what,
                because: "\(name) is no filter: it was loaded from \(member.origin)",
                remedy: names.isEmpty ? nil : "Filters are \(names.joined(separator: ", "))")
        }
        return XDPError(
            .refused, what,
            because: name.map { "\(interface) has no filter called \($0)" } ?? "\(interface) has no filter",
            remedy: names.isEmpty
                ? "`xdpctl filter apply \(interface) FILE` puts one there"
                : "It has \(names.joined(separator: ", "))")
    }

    /// Reads from the chain of an interface, again if that was exchanged meanwhile, so that maps went.
    static func reading<T>(
        _ interface: Interface, _ body: (Chain) throws(XDPError) -> T
    ) throws(XDPError) -> T {
        for _ in 0..<20 {
            let active = try chain(on: interface)
            do throws(XDPError) {
                return try body(active?.manifest.chain ?? Chain())
            } catch {
                // What was read of a chain that runs no more is no answer.
                guard error.kind == .failed, try chain(on: interface)?.programID != active?.programID else {
                    throw error
                }
            }
        }
        throw XDPError(
            .failed, "The filter of \(interface.name) cannot be read",
            because: "it changes faster than it can be looked at", remedy: "Try again")
    }

    /// The chain that runs; nil for none.
    private static func chain(on interface: Interface) throws(XDPError) -> ActiveChain? {
        let now = try Interface(named: interface.name)
        switch try now.occupant() {
        case .chain(let active): return active.manifest.isClosed ? nil : active
        case .none: return nil
        case .foreign, .unreadable:
            throw XDPError(
                .refused, "The filter of \(now.name) cannot be found",
                because: "\(now.name) runs a program that is not a chain of this xdpctl",
                remedy: "`xdpctl status \(now.name)` says what it is")
        }
    }
}
