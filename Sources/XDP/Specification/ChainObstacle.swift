// SPDX-License-Identifier: Apache-2.0

/// Why what runs on an interface cannot be made into a chain as wanted.
public struct ChainObstacle: Sendable {
    /// What part of the specification it is about.
    public enum Place: Sendable, Hashable {
        case interface, mode
        case member(String)
    }

    public let place: Place
    public let error: XDPError

    /// Everything that stands in the way.
    public static func all(
        on interface: Interface, running occupant: Occupant, to target: ChainTarget
    ) -> [ChainObstacle] {
        let what = "The chain of \(interface.name) cannot be made as described"
        switch occupant {
        case .chain(let active):
            let chain = active.manifest.isClosed ? nil : active.manifest.chain
            var found = target.members.compactMap { adoption(of: $0, chain?[$0.name], interface, what) }
            if chain != nil, !target.members.isEmpty, target.mode != .auto,
                target.mode.rawValue != active.mode.rawValue
            {
                found.append(
                    ChainObstacle(
                        place: .mode,
                        error: XDPError(
                            .refused, what,
                            because: "the chain on \(interface.name) is attached in \(active.mode) mode, and "
                                + "that cannot be changed without a gap",
                            remedy: "Say `mode: \(active.mode)`, or unload it first "
                                + "(xdpctl unload \(interface.name) --all)")))
            }
            return found
        case .none:
            return target.members.compactMap { adoption(of: $0, nil, interface, what) }
        case .foreign(let program):
            return target.members.isEmpty ? [] : [foreign(program, interface, target, what)]
        case .unreadable:
            return [
                ChainObstacle(
                    place: .interface,
                    error: XDPError(
                        .refused, what,
                        because: "\(interface.name) runs a chain that this xdpctl cannot read",
                        remedy: "`xdpctl status \(interface.name)` says why"))
            ]
        }
    }

    /// A program that somebody else attached is in the way until it is a member.
    private static func foreign(
        _ program: ForeignProgram, _ interface: Interface, _ target: ChainTarget, _ what: String
    ) -> ChainObstacle {
        var error = ChainEditor.occupied(what, interface.name, program)
        for member in target.members {
            guard case .adopted = member.source else { continue }
            error.remedy = "`xdpctl adopt \(interface.name) --name \(member.name)` makes it a member first"
            return ChainObstacle(place: .member(member.name), error: error)
        }
        return ChainObstacle(place: .interface, error: error)
    }

    /// A member that was to be adopted must be one, and the other way round.
    static func adoption(
        of wanted: ChainTarget.Member, _ present: Member?, _ interface: Interface, _ what: String
    ) -> ChainObstacle? {
        let isAdopted = present?.adopted != nil
        switch wanted.source {
        case .adopted where present == nil:
            return ChainObstacle(
                place: .member(wanted.name),
                error: XDPError(
                    .refused, what,
                    because: "\(wanted.name) is a program that somebody else loaded, and it does not run on "
                        + interface.name,
                    remedy: "Have its owner attach it, then `xdpctl adopt \(interface.name) --name "
                        + "\(wanted.name)`"))
        case .adopted where !isAdopted:
            return ChainObstacle(
                place: .member(wanted.name),
                error: XDPError(
                    .refused, what,
                    because: "\(wanted.name) was loaded from \(present?.origin ?? "an object")",
                    remedy: "Name its object instead of `adopted: true`"))
        case .object where isAdopted:
            return ChainObstacle(
                place: .member(wanted.name),
                error: XDPError(
                    .refused, what, because: "\(wanted.name) is a program that somebody else loaded",
                    remedy: "Say `adopted: true`, or `xdpctl release \(interface.name) \(wanted.name)` first")
            )
        default: return nil
        }
    }
}
