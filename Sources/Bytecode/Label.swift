// SPDX-License-Identifier: Apache-2.0

/// A place in code that an ``Assembler`` is recording; jumps and calls name it before it is known.
public struct Label: Hashable, Sendable {
    /// The place of the label in its assembler's list.
    let id: Int
}
