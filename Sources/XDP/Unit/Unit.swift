// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// A relocatable XDP program: what the linker knows of a member.
///
/// The instructions are final apart from three kinds of places, which are named by number: maps (the wide
/// loads `mapIndex` and `mapIndexValue`, the immediate being a place in ``maps``), functions of kernel
/// modules (a call's offset is a place in ``modules`` plus one) and variables of kernel modules (likewise the
/// upper immediate).
public struct Unit: Sendable, Hashable {
    /// The function's name in the source.
    public var program: String
    /// The ELF section it came from.
    public var section: String
    public var license: String
    /// Whether it handles packets of several buffers (`xdp.frags`).
    public var supportsFrags: Bool
    /// Whether it may leave the whole chain with `bpf_throw`.
    public var mayThrow: Bool
    /// Main function first, then its subprograms.
    public var instructions: [Instruction]
    public var maps: [UnitMap]
    public var functions: [DebugInformation.Function]
    public var lines: [DebugInformation.Line]
    public var modules: [PreparedProgram.KernelModule]
    /// The object's own type information; kept only while the member has a program of its own.
    public var types: OwnTypes?

    public init(
        program: String, section: String = "xdp", license: String, supportsFrags: Bool = false,
        mayThrow: Bool = false, instructions: [Instruction], maps: [UnitMap] = [],
        functions: [DebugInformation.Function] = [], lines: [DebugInformation.Line] = [],
        modules: [PreparedProgram.KernelModule] = [], types: OwnTypes? = nil
    ) {
        self.program = program
        self.section = section
        self.license = license
        self.supportsFrags = supportsFrags
        self.mayThrow = mayThrow
        self.instructions = instructions
        self.maps = maps
        self.functions = functions
        self.lines = lines
        self.modules = modules
        self.types = types
    }

    /// A unit from what libbpf prepared.
    public init(_ prepared: PreparedProgram, maps: [UnitMap], mayThrow: Bool) {
        self.init(
            program: prepared.name, section: prepared.section, license: prepared.license,
            supportsFrags: prepared.supportsFrags, mayThrow: mayThrow, instructions: prepared.instructions,
            maps: maps, functions: prepared.functions, lines: prepared.lines, modules: prepared.modules,
            types: prepared.types)
    }

    /// Whether the kernel lets programs of this licence call what is for GPL programs only
    /// (`license_is_gpl_compatible` in linux/license.h).
    public var isGPLCompatible: Bool {
        [
            "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
        ].contains(license)
    }
}

/// A map as a unit knows it: what it was declared as, not which one it is.
public struct UnitMap: Sendable, Hashable {
    /// The name in the source, or the section of global variables.
    public var name: String
    public var definition: MapDefinition
    /// Equal for maps of equal layout; the first 16 bytes of a SHA-256.
    public var layout: [UInt8]
    /// Whether it holds global variables.
    public var isInternal: Bool

    public init(name: String, definition: MapDefinition, layout: [UInt8] = [], isInternal: Bool = false) {
        self.name = name
        self.definition = definition
        self.layout = layout
        self.isInternal = isInternal
    }
}
