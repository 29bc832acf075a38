// SPDX-License-Identifier: Apache-2.0

/// An object's own type information and the records of a program that refer to it, as the kernel takes them.
///
/// A chain does without: its functions and lines are named by types of its own. Programs that put objects of
/// their own kinds into maps, or throw exceptions, cannot.
public struct OwnTypes: Sendable, Hashable {
    /// The kernel's id of the BTF, valid as long as a map or a program holds it.
    public var btfID: UInt32
    /// `struct bpf_func_info`, 8 bytes each.
    public var functionRecords: [UInt8]
    /// `struct bpf_line_info`, 16 bytes each.
    public var lineRecords: [UInt8]

    public init(btfID: UInt32, functionRecords: [UInt8], lineRecords: [UInt8]) {
        self.btfID = btfID
        self.functionRecords = functionRecords
        self.lineRecords = lineRecords
    }
}
