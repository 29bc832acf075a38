// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// Whether new rules would cut off those who work on this machine from afar, most likely whoever puts them on.
public enum LockoutCheck {
    /// What is found for an interface of the calling thread's network namespace; empty if nobody is affected.
    ///
    /// An error of the rule `lockout` is a session that the rules would not let pass.
    ///
    /// - Parameters:
    ///   - rules: those that are to come.
    ///   - sets: elements beyond those in the declarations, such as those of files.
    public static func findings(
        rules: RuleSet, sets: [String: [SetElement]] = [:], interface: Interface
    ) -> [CheckFinding] {
        let sessions = arriving(SessionSurvey.sessions(), at: interface)
        guard !sessions.isEmpty else { return [] }
        var interfaces: [String: UInt32] = [:]
        for other in (try? Interface.all()) ?? [] { interfaces[other.name] = other.index }
        return LockoutRule(
            rules: rules, sets: sets, interface: interface.name, interfaces: interfaces,
            receiver: interface.link.hardwareAddress.flatMap { MACAddress($0) }
        ).findings(sessions)
    }

    /// Whether there is a session at all whose packets may come in by an interface; before sets are read for nothing.
    public static func isNeeded(on interface: Interface) -> Bool {
        !arriving(SessionSurvey.sessions(), at: interface).isEmpty
    }

    /// The sessions whose packets come in by an interface, or may.
    static func arriving(_ sessions: [RemoteSession], at interface: Interface) -> [ArrivingSession] {
        guard !sessions.isEmpty else { return [] }
        do throws(NetlinkError) {
            var routes = try RouteSocket()
            let stack = InterfaceStack(links: try routes.links())
            return sessions.compactMap { arriving($0, at: interface.index, on: stack, &routes) }
        } catch {
            return sessions.map { ArrivingSession($0, .unknown("the interfaces cannot be listed: \(error)")) }
        }
    }

    private static func arriving(
        _ session: RemoteSession, at index: UInt32, on stack: InterfaceStack, _ routes: inout RouteSocket
    ) -> ArrivingSession? {
        do throws(NetlinkError) {
            let route = try routes.route(to: session.peer, from: session.local)
            guard let arrival = stack.arrival(at: index, routeBy: route.interface) else { return nil }
            let neighbour = try? routes.neighbour(route.gateway ?? session.peer, on: route.interface)
            return ArrivingSession(session, arrival, sender: neighbour.flatMap { MACAddress($0) })
        } catch {
            return ArrivingSession(session, .unknown("its route cannot be found: \(error)"))
        }
    }
}

extension MACAddress {
    /// Nil for an address that is not of six bytes.
    init?(_ address: HardwareAddress) {
        guard address.bytes.count == 6 else { return nil }
        self.init(value: address.bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }
}
