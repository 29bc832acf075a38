// SPDX-License-Identifier: Apache-2.0
import BPF

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
            if chain != nil, let other = mode(active.mode, "chain", target, interface, what) {
                found.append(other)
            }
            return found
        case .none:
            return target.members.compactMap { adoption(of: $0, nil, interface, what) }
        case .foreign(let program):
            return foreign(program, interface, target, what)
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

    /// A program that somebody else attached is in the way, unless it is to become a member.
    private static func foreign(
        _ program: ForeignProgram, _ interface: Interface, _ target: ChainTarget, _ what: String
    ) -> [ChainObstacle] {
        if target.members.isEmpty { return [] }
        guard let name = target.adoptee else {
            var error = ChainEditor.occupied(what, interface.name, program)
            error.remedy =
                "Say that it stays, with `- { name: NAME, adopted: true }` among the members; or take it off"
            return [ChainObstacle(place: .interface, error: error)]
        }
        let others = target.members.filter { $0.name != name }
        return others.compactMap { adoption(of: $0, nil, interface, what) }
            + [mode(program.mode, "program", target, interface, what)].compactMap(\.self)
    }

    /// What is attached keeps its mode.
    private static func mode(
        _ present: AttachMode, _ thing: String, _ target: ChainTarget, _ interface: Interface, _ what: String
    ) -> ChainObstacle? {
        guard !target.members.isEmpty, target.mode != .auto, target.mode.rawValue != present.rawValue else {
            return nil
        }
        return ChainObstacle(
            place: .mode,
            error: XDPError(
                .refused, what,
                because:
                    "the \(thing) on \(interface.name) is attached in \(present) mode, and that cannot be "
                    + "changed without a gap",
                remedy: "Say `mode: \(present)`, or take it off first"))
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
        case .object where isAdopted, .made where isAdopted:
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
