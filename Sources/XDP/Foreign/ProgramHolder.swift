// SPDX-License-Identifier: Apache-2.0

/// A process that has a descriptor of a program, or of the link that attached it.
public struct ProgramHolder: Sendable, Hashable {
    public let processID: Int32
    /// The command's name.
    public let command: String
    public var holdsProgram: Bool
    /// With a link, the program stays attached as long as the process lives.
    public var holdsLink: Bool
}
