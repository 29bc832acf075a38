// SPDX-License-Identifier: Apache-2.0

/// A question that no table answers: code does, once a packet.
enum Predicate: Hashable, Sendable {
    case bytes(ByteTest)
    /// The index of the interface is one of these.
    case interface([UInt32])
    case member(of: String, [SetField])
    /// What would be too many conjunctions.
    case match(Match)
    /// An entry of a run's lookup map; by the run's number.
    case run(Int)
}
