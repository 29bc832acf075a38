// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// A program ready to be loaded: final instructions with the map descriptors in place, and what the kernel
/// shall know of its functions and source lines.
public struct ProgramImage: Sendable {
    /// At most 15 bytes are kept.
    public var name: String
    public var instructions: [Instruction]
    /// As the kernel compares it: "GPL", "Dual MIT/GPL", "Proprietary".
    public var license: String
    public var attachType: AttachType = .xdp
    /// Whether it handles packets of several buffers (`xdp.frags`). Linux 5.18.
    public var supportsFrags = false
    /// The card to translate for, when the program shall run on one; 0 otherwise.
    public var offloadInterface: UInt32 = 0
    /// Every function, in the order of its first instruction.
    public var functions: [DebugInformation.Function] = []
    /// Source lines, in the order of their first instruction.
    public var lines: [DebugInformation.Line] = []
    /// Descriptors of module BTF, to which kernel function calls refer by place; place 0 is vmlinux.
    public var moduleDescriptors: [Int32] = []
    /// The object's own type information; it takes the place of `functions` and `lines`.
    public var types: OwnTypes?

    public init(name: String, instructions: [Instruction], license: String) {
        self.name = name
        self.instructions = instructions
        self.license = license
    }

    /// The smallest program there is: every packet goes on to the network stack (XDP_PASS).
    public static func passing(_ name: String) -> ProgramImage {
        ProgramImage(name: name, instructions: [.move(.r0, 2), .exit], license: "GPL")
    }
}
