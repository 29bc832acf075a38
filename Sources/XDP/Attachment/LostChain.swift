// SPDX-License-Identifier: Apache-2.0
import BPF

/// A chain that lost its interface: the interface was deleted, or somebody detached the link. The link's pin
/// still keeps it, until a later change sweeps it.
public struct LostChain: Sendable {
    public let linkID: UInt32
    public let programID: UInt32
    public let manifest: Manifest
    /// The pin that keeps it.
    public let path: String

    /// Those of this machine; none if the pins cannot be looked at.
    public static func all() -> [LostChain] {
        guard let pins = try? PinKeeper() else { return [] }
        return all(pins)
    }

    /// Those whose pins are in one file system; none is mounted for it.
    public static func all(in fileSystem: BPFFileSystem) -> [LostChain] {
        all(PinKeeper(in: fileSystem))
    }

    private static func all(_ pins: PinKeeper) -> [LostChain] {
        pins.links().compactMap { path in
            guard let link = try? XDPLink.open(pinnedAt: path), let information = try? link.information(),
                information.interfaceIndex == 0, let program = try? Program(id: information.programID),
                case .success(let manifest)? = try? ManifestStore.find(in: program), !manifest.isClosed
            else { return nil }
            return LostChain(
                linkID: information.id, programID: information.programID, manifest: manifest, path: path)
        }
    }
}
