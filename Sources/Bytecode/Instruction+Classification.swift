// SPDX-License-Identifier: Apache-2.0

extension Instruction {
    /// Marker of a bpf-to-bpf call in the source field (BPF_PSEUDO_CALL).
    static let subprogramCallMarker: UInt8 = 1
    /// Marker of a kernel function call in the source field (BPF_PSEUDO_KFUNC_CALL).
    static let kernelFunctionCallMarker: UInt8 = 2

    /// Whether it returns from the program or subprogram.
    public var isExit: Bool { opcode == .exit }

    /// Whether it is the first half of a 64-bit immediate load, which the next one completes.
    public var isWide: Bool { opcode == .loadImmediate64 }

    /// The number of 8-byte instructions it takes up: two for a 64-bit immediate load, else one.
    public var slots: Int { isWide ? 2 : 1 }

    /// Whether it calls a helper, a subprogram or a kernel function.
    public var isCall: Bool { opcode == .call }

    /// The number of the helper that it calls (enum bpf_func_id), or nil.
    public var helperCall: Int32? { isCall && source.rawValue == 0 ? immediate : nil }

    /// Whether it calls bpf_tail_call, helper 12.
    public var isTailCall: Bool { helperCall == 12 }

    /// Whether it calls another function of the same program; the distance is the immediate.
    public var isSubprogramCall: Bool { isCall && source.rawValue == Self.subprogramCallMarker }

    /// Whether it calls a kernel function: the immediate is its BTF id, the offset the place of the module's
    /// BTF in the descriptor array.
    public var isKernelFunctionCall: Bool { isCall && source.rawValue == Self.kernelFunctionCallMarker }

    /// What a 64-bit immediate load loads; nil for every other instruction.
    public var wideKind: WideKind? { isWide ? WideKind(marker: source.rawValue) : nil }

    /// Whether it loads the address of a subprogram; the distance is the immediate.
    public var isFunctionLoad: Bool { wideKind == .function }

    /// The condition of a conditional jump, else nil; may_goto has none.
    public var condition: Condition? { opcode.jumpOperation?.condition }

    /// How far a jump leads, in instructions from the one after it; nil if it is not a jump.
    ///
    /// Calls are not jumps; the target of an indirect jump is not known.
    public var jumpDistance: Int? {
        switch opcode {
        case .jump, .mayGoto: Int(offset)
        case .longJump: Int(immediate)
        default: condition == nil ? nil : Int(offset)
        }
    }

    /// How far the subprogram is that it calls or takes the address of, in instructions from the one after it
    /// (for the load: after its first half); else nil.
    public var functionDistance: Int? {
        isSubprogramCall || isFunctionLoad ? Int(immediate) : nil
    }

    /// Whether it jumps in every case: goto, gotol or gotox.
    public var isUnconditionalJump: Bool {
        opcode == .jump || opcode == .longJump || opcode == .indirectJump
    }

    /// Whether the instruction after it can be the next to run.
    public var fallsThrough: Bool { !isExit && !isUnconditionalJump }

    /// Whether it can be followed: false if its op-code could change the control flow in a way not known here.
    var hasKnownControlFlow: Bool {
        switch opcode.instructionClass {
        case .jump, .jump32:
            condition != nil || isExit || isCall || opcode == .jump || opcode == .longJump
                || opcode == .mayGoto || opcode == .indirectJump
        case .ld:
            // Only the wide load is two instructions; other widths of an immediate load do not exist.
            opcode.mode != .immediate || isWide
        default: true
        }
    }
}
