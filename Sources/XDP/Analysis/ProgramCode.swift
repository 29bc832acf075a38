// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// A program as the analysis reads it: of an object, of a chain's member, or as the kernel translated it.
///
/// Maps are named by place: the wide loads `mapIndex` and `mapIndexValue`, the immediate being a place in
/// ``maps``.
public struct ProgramCode: Sendable, Hashable {
    /// What an instruction calls that does not call a subprogram.
    public enum Callee: Sendable, Hashable {
        /// A helper, by its number (`enum bpf_func_id` in linux/bpf.h).
        case helper(UInt32)
        /// A kernel function (kfunc), by its name; the module is nil for the kernel itself.
        case kernelFunction(String, module: String?)
        /// What a kernel put in the place of a helper, by its symbol: "dev_map_redirect".
        case symbol(String)
        /// Nothing that could be found out.
        case unknown
    }

    /// The function's name.
    public var name: String
    /// Main function first, then its subprograms.
    public var instructions: [Instruction]
    public var maps: [UnitMap]
    /// The kernel's ids of the maps, in their order; empty where they do not exist yet.
    public var mapIDs: [UInt32]
    public var functions: [DebugInformation.Function]
    public var lines: [DebugInformation.Line]
    /// Whether it handles packets of several buffers (`xdp.frags`); nil where that is not to be seen.
    public var supportsFrags: Bool?
    /// Whether a kernel wrote the instructions: accesses to the context are accesses to its own structures
    /// then, and some helpers are inlined.
    public var isTranslated: Bool
    /// What each call calls, by the place of its instruction. Calls of subprograms are not here: their
    /// distance is the immediate, also in translated instructions.
    public var callees: [Int: Callee]
    /// What is in the only value of maps that nobody can change any more, by place: read-only for programs and
    /// frozen for user space.
    public var constants: [Int: [UInt8]]

    public init(
        name: String, instructions: [Instruction], maps: [UnitMap] = [], mapIDs: [UInt32] = [],
        functions: [DebugInformation.Function] = [], lines: [DebugInformation.Line] = [],
        supportsFrags: Bool? = nil, isTranslated: Bool = false, callees: [Int: Callee] = [:],
        constants: [Int: [UInt8]] = [:]
    ) {
        self.name = name
        self.instructions = instructions
        self.maps = maps
        self.mapIDs = mapIDs
        self.functions = functions
        self.lines = lines
        self.supportsFrags = supportsFrags
        self.isTranslated = isTranslated
        self.callees = callees
        self.constants = constants
    }
}
