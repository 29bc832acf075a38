// SPDX-License-Identifier: Apache-2.0
import BPF

/// The pins that keep chains alive.
enum BPFPins {
    static let directory = "/sys/fs/bpf/xdpctl"

    /// The ids of the links that are pinned.
    static func links() -> Set<UInt32> {
        Set(
            BPFFileSystem.entries(of: directory).compactMap { name in
                name.hasPrefix("link-") ? UInt32(name.dropFirst("link-".count)) : nil
            })
    }

    /// The ids of the program arrays that are pinned.
    static func arrays() -> Set<UInt32> {
        Set(
            BPFFileSystem.entries(of: directory).compactMap { name in
                name.hasPrefix("array-") ? UInt32(name.dropFirst("array-".count)) : nil
            })
    }
}
