// SPDX-License-Identifier: Apache-2.0

/// Why a chain, or a part of it, cannot be one program, and what would help.
struct LinkFailure: Error {
    /// What would help.
    enum Way: Hashable {
        /// A program of its own for a member, by place in the chain.
        case isolate(Int, reason: String)
        /// A new segment at a place of the topological order.
        case cut(Int)
    }

    /// What the user is told if nothing helps.
    var error: XDPError
    var way: Way?

    init(_ error: XDPError, way: Way? = nil) {
        self.error = error
        self.way = way
    }
}
