// SPDX-License-Identifier: Apache-2.0

/// A path in a BPF file system that keeps a program, or the link that attached it.
public struct ProgramPin: Sendable, Hashable {
    public let path: String
    /// The link, which keeps the program attached; else the program alone.
    public let holdsLink: Bool
}
