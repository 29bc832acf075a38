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

/// A chain that is attached, as it was when it was read.
public final class ActiveChain: Sendable {
    public let manifest: Manifest
    public let programID: UInt32
    /// Held, so that the id cannot be given to another program meanwhile.
    let program: Program
    public let mode: AttachMode
    /// nil where no link holds the program, which does not happen to chains that this library attached.
    public let linkID: UInt32?

    init(
        manifest: Manifest, programID: UInt32, program: consuming Program, mode: AttachMode, linkID: UInt32?
    ) {
        self.manifest = manifest
        self.programID = programID
        self.program = program
        self.mode = mode
        self.linkID = linkID
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
}
