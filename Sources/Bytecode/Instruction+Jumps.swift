// SPDX-License-Identifier: Apache-2.0

// Distances are in instructions, counted from the one after the jump or call.
extension Instruction {
    /// The return from a program or subprogram; r0 is the result.
    public static let exit = Instruction(.exit)

    /// A call of the kernel helper with this number (enum bpf_func_id).
    public static func call(helper: Int32) -> Self {
        Instruction(.call, immediate: helper)
    }

    /// A call of the subprogram at this distance.
    public static func call(relative: Int32) -> Self {
        Instruction(
            .call, source: Register(rawValue: Self.subprogramCallMarker), immediate: relative)
    }

    /// A call of a kernel function by its BTF id; `module` is the place of its module's BTF in the descriptor
    /// array, zero for the kernel itself (kernel 5.13, modules 5.16).
    public static func call(kernelFunction id: Int32, module: Int16 = 0) -> Self {
        Instruction(
            .call, source: Register(rawValue: Self.kernelFunctionCallMarker), offset: module, immediate: id)
    }

    /// `goto`
    public static func jump(_ distance: Int16) -> Self {
        Instruction(.jump, offset: distance)
    }

    /// `gotol`, with a 32-bit distance (kernel 6.6).
    public static func longJump(_ distance: Int32) -> Self {
        Instruction(.longJump, immediate: distance)
    }

    /// `may_goto`: jumps when the budget of the loop is spent (kernel 6.9).
    public static func mayGoto(_ distance: Int16) -> Self {
        Instruction(.mayGoto, offset: distance)
    }

    /// `if rL condition rR goto`
    public static func jump(
        _ condition: Condition, _ left: Register, _ right: Register, _ distance: Int16
    ) -> Self {
        conditional(.jump, condition, left, right, distance)
    }

    /// `if rL condition immediate goto`; the immediate is sign-extended.
    public static func jump(
        _ condition: Condition, _ left: Register, _ immediate: Int32, _ distance: Int16
    ) -> Self {
        conditional(.jump, condition, left, immediate, distance)
    }

    /// `if wL condition wR goto`, on the lower halves (kernel 5.1).
    public static func jump32(
        _ condition: Condition, _ left: Register, _ right: Register, _ distance: Int16
    ) -> Self {
        conditional(.jump32, condition, left, right, distance)
    }

    /// `if wL condition immediate goto`, on the lower half (kernel 5.1).
    public static func jump32(
        _ condition: Condition, _ left: Register, _ immediate: Int32, _ distance: Int16
    ) -> Self {
        conditional(.jump32, condition, left, immediate, distance)
    }

    private static func conditional(
        _ width: InstructionClass, _ condition: Condition, _ left: Register, _ right: Register,
        _ distance: Int16
    ) -> Self {
        // Both enumerations have the raw values of BPF_OP.
        Instruction(
            Opcode(rawValue: width.rawValue | condition.rawValue | OperandKind.register.rawValue),
            destination: left, source: right, offset: distance)
    }

    private static func conditional(
        _ width: InstructionClass, _ condition: Condition, _ left: Register, _ immediate: Int32,
        _ distance: Int16
    ) -> Self {
        Instruction(
            Opcode(rawValue: width.rawValue | condition.rawValue), destination: left, offset: distance,
            immediate: immediate)
    }
}
