// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What the linker made of a chain: one program that still names its maps and modules by place.
public struct LinkedProgram: Sendable {
    /// Map references are of the kinds `mapIndex` and `mapIndexValue`, the immediate being a place in
    /// ``mapIDs``.
    public var instructions: [Instruction]
    /// The maps that instructions refer to, by kernel id.
    public var mapIDs: [UInt32]
    public var modules: [PreparedProgram.KernelModule]
    public var functions: [DebugInformation.Function]
    public var lines: [DebugInformation.Line]
    public var license: String
    public var supportsFrags: Bool
    /// How each member of the chain was put in, by place in the chain.
    public var compositions: [Composition]
    /// Where each member's instructions went.
    public var segments: [Segment]
    /// Where each tap's function went.
    public var taps: [TapFunction]
    /// Bytes of stack that the chain's main function uses.
    public var frame: Int

    /// A run of instructions and where it comes from.
    public struct Segment: Sendable, Hashable {
        /// In the linked program.
        public var range: Range<Int>
        /// The member's place in the chain.
        public var member: Int
        /// The unit's instruction that the range begins with; nil for glue.
        public var unitStart: Int?
    }

    /// A tap's instructions.
    public struct TapFunction: Sendable, Hashable {
        /// In the linked program.
        public var range: Range<Int>
        public var name: String
    }

    /// Where an instruction of the linked program comes from: the member's place in the chain, and the
    /// instruction of its unit unless it is glue.
    public func origin(of instruction: Int) -> (member: Int, unitInstruction: Int?)? {
        guard let segment = segments.first(where: { $0.range.contains(instruction) }) else { return nil }
        return (segment.member, segment.unitStart.map { $0 + instruction - segment.range.lowerBound })
    }
}
