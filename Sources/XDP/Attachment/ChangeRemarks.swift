// SPDX-License-Identifier: Apache-2.0

/// What the user should know of a chain that took the place of another: members that are not where they were,
/// and what that costs.
struct ChangeRemarks {
    let base: Manifest?
    let manifest: Manifest

    var notes: [String] { compositions + segments }

    private var compositions: [String] {
        manifest.chain.members.compactMap { member in
            let now = member.composition
            guard let old = base?.chain[member.name]?.composition, old.mode == now.mode,
                old.reason == now.reason
            else { return note(member) }
            return nil
        }
    }

    private func note(_ member: Member) -> String? {
        switch member.composition.mode {
        case .inline: nil
        case .call: "\(member.name) is a function of its own, +8 ns: \(member.composition.reason)"
        case .isolated: "\(member.name) has a program of its own, +9 ns: \(member.composition.reason)"
        case .adopted: "\(member.name) runs as its owner loaded it, +9 ns"
        case .unreachable: "\(member.name) sees no packets: \(member.composition.reason)"
        }
    }

    private var segments: [String] {
        func firsts(_ manifest: Manifest?) -> [String] {
            var last = 0
            return (manifest?.chain.members ?? []).filter { member in
                defer { last = max(last, member.composition.segment) }
                return member.composition.segment > last
            }.map(\.name)
        }
        let now = firsts(manifest)
        guard !now.isEmpty, now != firsts(base) else { return [] }
        return [
            "the chain is \(now.count + 1) programs, because one cannot hold it; a packet goes on by tail call, "
                + "+9 ns, to \(now.joined(separator: ", "))"
        ]
    }
}
