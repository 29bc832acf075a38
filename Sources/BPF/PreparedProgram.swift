// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// A program of an object after libbpf relocated it: final instructions that name their maps by place, and
/// the records that belong to them. Nothing of it has been verified.
public struct PreparedProgram: Sendable {
    /// A function and where it starts, in instructions.
    public typealias Function = DebugInformation.Function
    public typealias Line = DebugInformation.Line

    /// Type information of a kernel module, to which calls of its functions refer.
    public struct KernelModule: Hashable, Sendable {
        /// The kernel's id of the module's BTF, valid until the module is unloaded.
        public var btfID: UInt32
        public var name: String

        public init(btfID: UInt32, name: String) {
            self.btfID = btfID
            self.name = name
        }
    }

    public let name: String
    public let section: String
    public let license: String
    public let supportsFrags: Bool
    /// Map references are of the kinds `mapIndex` and `mapIndexValue`, the immediate being the place in the
    /// object's list of maps; the offset of a module's function call is the place in `modules` plus one, and
    /// so is the upper immediate of a module's variable.
    public let instructions: [Instruction]
    public let functions: [Function]
    public let lines: [Line]
    public let modules: [KernelModule]
    /// Whether the kernel took the object's BTF; without it there are no records.
    public let hasBTF: Bool
    /// The object's own type information, if the kernel took it.
    public let types: OwnTypes?
}

/// What preparing an object yields: the program, and all maps of the object in its order.
public struct PreparedObject: Sendable {
    public let program: PreparedProgram
    public let maps: [MapHandle]
    /// What keeps `program.types` alive.
    public let types: BTFHandle?
}
