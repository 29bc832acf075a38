// SPDX-License-Identifier: Apache-2.0

/// One function of a program refers to another.
public struct CallEdge: Hashable, Sendable {
    /// How one function refers to another.
    public enum Kind: Hashable, Sendable {
        /// A bpf-to-bpf call.
        case call
        /// The address of a function, given to a helper or kernel function that calls it back.
        case callback
    }

    /// How.
    public let kind: Kind
    /// The index of the call, or of the first half of the load, in the program.
    public let index: Int
    /// The number of the function it is in.
    public let caller: Int
    /// The number of the function it refers to.
    public let callee: Int
}
