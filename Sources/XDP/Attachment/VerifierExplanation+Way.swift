// SPDX-License-Identifier: Apache-2.0
import BPF

extension VerifierExplanation {
    /// What would help a chain that the verifier does not take; nil if nothing is known to.
    ///
    /// A program of its own helps every member that does not get on with the others: one that needs the
    /// object's own types, another licence, more stack. Whether it helps is found out by doing it: a member that
    /// is wrong in itself is rejected there too.
    func way(out error: BPFError) -> LinkFailure.Way? {
        guard let log = error.verifierLog, let reason = log.reason else { return nil }
        let inside = Set(linked.segments.filter { $0.unitStart != nil }.map(\.member)).sorted()
        if reason.contains("is too large") || reason.contains("too complex") {
            return inside.count > 1 ? cut(inside) : isolate(inside.first, "it is too much for the verifier")
        }
        if reason.contains("GPL-restricted") || reason.contains("GPL compatible") {
            let stranger = inside.first { place in
                chain.members[place].separate == nil && !chain.members[place].unit.isGPLCompatible
            }
            guard let stranger, inside.count > 1 else { return nil }
            return isolate(
                stranger,
                "its licence is \"\(chain.members[stranger].unit.license)\", and others call what is for GPL programs"
            )
        }
        guard let instruction = log.lastInstruction,
            let origin = linked.origin(of: instruction), origin.unitInstruction != nil
        else { return nil }
        let company = inside.count > 1 ? "in one program with others" : "linked into the chain"
        return isolate(origin.member, "\(company) the verifier says: \(reason)")
    }

    private func isolate(_ place: Int?, _ reason: String) -> LinkFailure.Way? {
        guard let place, chain.members[place].separate == nil else { return nil }
        return .isolate(place, reason: reason)
    }

    /// In the middle of the instructions.
    private func cut(_ inside: [Int]) -> LinkFailure.Way? {
        guard let graph = try? ChainGraph(chain) else { return nil }
        let nodes = graph.nodes.enumerated().filter { inside.contains($0.element.member) }
        let sizes = nodes.map { node in
            let member = chain.members[node.element.member]
            // What has a program of its own is a call here.
            return member.separate == nil ? member.unit.instructions.count : 1
        }
        let total = sizes.reduce(0, +)
        var sum = 0
        for (index, size) in sizes.enumerated().dropLast() {
            sum += size
            if sum * 2 >= total || index + 2 == sizes.count { return .cut(nodes[index + 1].offset) }
        }
        return nil
    }
}
