// SPDX-License-Identifier: Apache-2.0
import BPF

/// What runs on the XDP hook of an interface.
public enum Occupant: Sendable {
    case none
    case chain(ActiveChain)
    case foreign(ForeignProgram)
    /// A chain whose manifest this version cannot read.
    case unreadable(ForeignProgram, Manifest.Unreadable)
}

extension Occupant {
    /// What would run if there were no captures: a chain that is only there for them counts as what it stands for.
    public var withoutLoan: Occupant {
        guard case .chain(let active) = self, !active.manifest.chain.isMoreThanLent else { return self }
        guard case .adopted(let name)? = active.manifest.chain.loan else { return .none }
        return AdoptedMembers(of: active).programs[name].map { .foreign($0) } ?? self
    }
}

/// A chain that is attached, as it was when it was read.
public final class ActiveChain: Sendable {
    public let manifest: Manifest
    let attached: AttachedProgram

    public var programID: UInt32 { attached.id }
    public var mode: AttachMode { attached.mode }
    /// The link that holds the interface; nil where the chain took the place of a program that had been
    /// attached by netlink.
    public var linkID: UInt32? { attached.linkID }

    init(manifest: Manifest, attached: AttachedProgram) {
        self.manifest = manifest
        self.attached = attached
    }

    /// What the members counted, by place in the chain; nil where nothing is counted.
    public func counters() throws(XDPError) -> [MemberCounters]? {
        guard manifest.chain.counters != .off else { return nil }
        do throws(BPFError) {
            return try CounterReader(pageIDs: manifest.counterPages).counters(of: manifest.chain.members)
        } catch {
            throw XDPError(error, during: "The verdict counters cannot be read")
        }
    }

    /// Packets that did not reach members because they had used up their tail calls, by place in the chain.
    /// They are counted also where verdicts are not.
    public func missedPackets() throws(XDPError) -> [UInt64] {
        do throws(BPFError) {
            return try CounterReader(pageIDs: manifest.counterPages).counters(of: manifest.chain.members)
                .map(\.missed.packets)
        } catch {
            throw XDPError(error, during: "The counters of missed packets cannot be read")
        }
    }
}
