// SPDX-License-Identifier: Apache-2.0
import BPF

/// A pin of ours that keeps something which nothing uses any more; a later change would sweep it.
public struct StalePin: Sendable, Hashable {
    /// Why nobody needs it.
    public enum Reason: Sendable, Hashable {
        /// The link holds no interface, and what it held was no chain that can be told about.
        case linkWithoutInterface
        /// No program refers to the array.
        case unusedArray
    }

    public var path: String
    public var reason: Reason

    public init(path: String, reason: Reason) {
        self.path = path
        self.reason = reason
    }

    /// Those below a BPF file system's root. Nothing is changed, and what may belong to a change that is on its way
    /// is left out.
    ///
    /// - Parameter age: in seconds; younger ones are left out.
    public static func all(in fileSystem: BPFFileSystem, olderThan age: Int = 60) -> [StalePin] {
        let lost = Set(LostChain.all(in: fileSystem).map(\.path))
        return PinKeeper(in: fileSystem).stale(olderThan: age).filter { !lost.contains($0.path) }
    }
}
