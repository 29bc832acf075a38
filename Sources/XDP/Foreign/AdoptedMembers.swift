// SPDX-License-Identifier: Apache-2.0
import BPF

/// The programs in a chain that somebody else loaded.
public struct AdoptedMembers: Sendable {
    /// By the member's name.
    public let programs: [String: ForeignProgram]
    /// The chain's own program: who holds the link has a descriptor that tells this one.
    public let chain: ForeignProgram?

    /// Asks the kernel, and only for chains that have such members.
    public init(of active: ActiveChain) {
        var programs: [String: ForeignProgram] = [:]
        for member in active.manifest.chain.members where member.adopted != nil {
            guard let id = member.separate?.programID, let program = try? Program(id: id),
                let information = try? program.information()
            else { continue }
            programs[member.name] = ForeignProgram(
                information: information, mode: active.mode, linkID: member.adopted?.linkID)
        }
        self.programs = programs
        let own = programs.isEmpty ? nil : try? active.attached.program.information()
        chain = own.map { ForeignProgram(information: $0, mode: active.mode, linkID: active.linkID) }
    }
}

extension ForeignSurvey {
    /// What was found out about an adopted program: who holds it, or the link that now holds the chain.
    public subscript(member: String, in adopted: AdoptedMembers) -> ForeignDetails? {
        guard let program = adopted.programs[member], let details = self[program] else { return nil }
        guard let chain = adopted.chain, let link = self[chain] else { return details }
        let holders = link.holders.filter(\.holdsLink)
        let both = Set(details.holders.map(\.processID)).intersection(holders.map(\.processID))
        let own = PinKeeper.ownLinkPin(chain.linkID)
        return ForeignDetails(
            functionName: details.functionName, loadedAt: details.loadedAt, age: details.age,
            userName: details.userName,
            holders: details.holders.map { holder in
                var holder = holder
                holder.holdsLink = holder.holdsLink || both.contains(holder.processID)
                return holder
            } + holders.filter { !both.contains($0.processID) },
            hiddenProcesses: details.hiddenProcesses,
            pins: details.pins + link.pins.filter { $0.holdsLink && $0.path != own },
            isPinScanCut: details.isPinScanCut || link.isPinScanCut, dispatcher: details.dispatcher)
    }
}
