// SPDX-License-Identifier: Apache-2.0

/// A program of others that calls up to ten programs in a row, each put in the place of a function of it.
public struct Dispatcher: Sendable, Hashable {
    /// Whose it is; told by the types in it.
    public enum Kind: String, Sendable {
        case libxdp, bpfman
    }

    /// One program in it.
    public struct Component: Sendable, Hashable {
        /// The place, from 0.
        public let position: Int
        /// nil where none is attached, or where the kernel does not tell which.
        public var program: Program?
        /// nil for a version that is newer than this library.
        public let slot: DispatcherConfiguration.Slot?

        /// The program in a place.
        public struct Program: Sendable, Hashable {
            public let id: UInt32
            /// The whole name of its function where its types tell it, else what the kernel kept of it.
            public let name: String
            public let tag: String
            /// The link that holds it in its place.
            public let linkID: UInt32?
        }
    }

    public let kind: Kind
    public let version: UInt32
    /// Whether it handles packets of several buffers; nil where the version does not tell.
    public let supportsFrags: Bool?
    /// In order.
    public let components: [Component]
    /// Whether this library knows the version's layout.
    public let isKnown: Bool
}
