// SPDX-License-Identifier: Apache-2.0

/// A place in recorded code whose final index the caller wants to know from the ``Assembly``.
public struct Mark: Hashable, Sendable {
    /// The recorded instruction.
    let recorded: Int
    /// The number of instructions with a label before it: what tells how far it moves.
    let references: Int
}
