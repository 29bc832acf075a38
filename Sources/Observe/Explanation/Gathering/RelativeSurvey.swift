// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// The interfaces above, below and beside one, in the same network namespace.
struct RelativeSurvey: Sendable {
    struct Relative: Sendable {
        var relation: RelativeFacts.Relation
        var interface: Interface
    }

    let relatives: [Relative]

    /// Kinds that stand on the interface that `IFLA_LINK` names.
    private static let stacked: Set<String> = ["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec"]

    /// Of all interfaces only those that run a program, and VLANs, whose packets are counted.
    init(of interface: Interface, among all: [Interface]) {
        let own = interface.link
        func isOn(_ upper: Link, _ lower: Link) -> Bool {
            Self.stacked.contains(upper.kind ?? "") && upper.peerNamespaceID == nil
                && upper.peerIndex == lower.index
        }
        relatives = all.compactMap { other in
            let link = other.link
            guard link.index != own.index else { return nil }
            let relation: RelativeFacts.Relation
            if isOn(own, link) {
                relation = .lower
            } else if isOn(link, own) {
                relation = .upper
            } else if link.masterIndex == own.index {
                relation = .port
            } else if own.masterIndex == link.index {
                relation = .master
            } else if own.kind == "veth", own.peerIndex == link.index, own.peerNamespaceID == nil {
                relation = .peer
            } else {
                return nil
            }
            guard !link.attachments.isEmpty || relation == .upper && link.kind == "vlan" || relation == .peer
            else {
                return nil
            }
            return Relative(relation: relation, interface: other)
        }
    }

    /// What became of them between two looks.
    func facts(
        from before: [UInt32: InterfaceSample], to after: [UInt32: InterfaceSample]
    ) -> [RelativeFacts] {
        relatives.map { relative in
            let (link, old, new) = (
                relative.interface.link, before[relative.interface.index], after[relative.interface.index]
            )
            var facts = RelativeFacts(
                relative.relation, name: link.name, kind: link.kind, programID: link.xdp?.programID,
                mode: link.xdp.map { "\($0.mode)" } ?? "native")
            guard let old, let new else { return facts }
            facts.received = new.grown("rx_packets", since: old)
            for member in new.members ?? [] {
                let lost = member.counters[.drop].packets &+ member.counters[.aborted].packets
                let former = old.members?.first { $0.name == member.name }.map {
                    $0.counters[.drop].packets &+ $0.counters[.aborted].packets
                }
                if lost > former ?? 0 {
                    facts.dropped.append(
                        RelativeFacts.Loss(member: member.name, packets: lost - (former ?? 0)))
                }
            }
            return facts
        }
    }
}
