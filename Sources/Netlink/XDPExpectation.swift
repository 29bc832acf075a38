// SPDX-License-Identifier: Apache-2.0

/// What must be attached for a change to take place; the kernel compares and changes in one step.
public enum XDPExpectation: Hashable, Sendable {
    /// Nothing in the mode in question.
    case nothing
    /// The program that this descriptor stands for.
    case program(CInt)
    /// Whatever: what is there is replaced.
    case anything
}
