// SPDX-License-Identifier: Apache-2.0
import BPF

/// A chain as somebody sees it who reads its counters again and again: the manifest is read once, and the maps that count are
/// kept open.
///
/// It belongs to one program: after a change of the chain another one is attached, and has to be opened. The counters go on
/// all the same, for they stand in the same maps.
public final class CountedChain: Sendable {
    public let programID: UInt32
    public let manifest: Manifest
    private let pages: [MapHandle]

    /// What a program is.
    public enum Finding: Sendable {
        case chain(CountedChain)
        /// A program of somebody else, or a chain that this version cannot read.
        case other
        case gone
    }

    /// Reads what a program is. Needs CAP_SYS_ADMIN.
    public static func open(programID: UInt32) throws(XDPError) -> Finding {
        do throws(BPFError) {
            // It keeps the maps until they are open.
            let program = try Program(id: programID)
            guard case .success(let manifest)? = try ManifestStore.find(in: program) else { return .other }
            return .chain(try CountedChain(manifest, of: programID))
        } catch {
            if error.errno == .noSuchFileOrDirectory { return .gone }
            throw XDPError(error, during: "The chain of program \(programID) cannot be read")
        }
    }

    private init(_ manifest: Manifest, of programID: UInt32) throws(BPFError) {
        self.manifest = manifest
        self.programID = programID
        var pages: [MapHandle] = []
        for id in manifest.counterPages { pages.append(try MapHandle(id: id)) }
        self.pages = pages
    }

    /// What the members counted, by place in the chain; nil where nothing is counted.
    public func counters() throws(XDPError) -> [MemberCounters]? {
        guard manifest.chain.counters != .off else { return nil }
        do throws(BPFError) {
            return try CounterReader(pages).counters(of: manifest.chain.members)
        } catch {
            throw XDPError(error, during: "The verdict counters cannot be read")
        }
    }
}
