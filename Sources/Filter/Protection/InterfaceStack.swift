// SPDX-License-Identifier: Apache-2.0
import Netlink

/// Which interfaces stand on which, so that it is known where packets come in that a route sends elsewhere.
struct InterfaceStack {
    struct Node {
        var index: UInt32
        var name: String
        var kind: String?
        /// The bridge, bond or team that it is a port of.
        var master: UInt32?
        /// What `IFLA_LINK` names, in the same namespace.
        var lower: UInt32?
    }

    private let nodes: [UInt32: Node]

    init(_ nodes: [Node]) {
        self.nodes = Dictionary(nodes.map { ($0.index, $0) }) { first, _ in first }
    }

    init(links: [Link]) {
        self.init(
            links.map { link in
                Node(
                    index: link.index, name: link.name, kind: link.kind, master: link.masterIndex,
                    lower: link.peerNamespaceID == nil ? link.peerIndex : nil)
            })
    }

    /// Kinds that stand on the interface that `IFLA_LINK` names, and hand on its frames.
    private static let stacked: Set<String> = ["vlan", "macvlan", "ipvlan", "macsec"]
    /// Kinds whose packets come in inside others.
    private static let tunnels: Set<String> = [
        "tun", "wireguard", "ipip", "sit", "gre", "gretap", "ip6gre", "ip6gretap", "ip6tnl", "vti", "vti6",
        "xfrm",
        "vxlan", "geneve", "erspan", "ip6erspan", "ppp", "gtp", "bareudp", "ovpn",
    ]

    /// How packets of a route by `top` come in, seen from the interface `index`; nil: by others.
    func arrival(at index: UInt32, routeBy top: UInt32) -> ArrivingSession.Arrival? {
        var seen: Set<UInt32> = []
        var waiting = [top]
        var tunnel: String?
        while let current = waiting.popLast() {
            guard seen.insert(current).inserted else { continue }
            if current == index { return .here }
            guard let node = nodes[current] else {
                return .unknown("interface \(current) of its route is not to be found")
            }
            if let kind = node.kind, Self.tunnels.contains(kind) { tunnel = "\(node.name) (\(kind))" }
            waiting += nodes.values.filter { $0.master == current }.map(\.index)
            if let kind = node.kind, Self.stacked.contains(kind), let lower = node.lower {
                waiting.append(lower)
            }
        }
        return tunnel.map { .tunnelled(by: $0) }
    }
}
