// SPDX-License-Identifier: Apache-2.0
import Bytecode
import XDP

/// A filter expression as a part of a capture's code (``CaptureFrame``).
///
/// The code is there twice. The first variant is for packets of which all that the expression asks for lies in the first buffer:
/// that many bytes are there is asked once, at the beginning, and again only for what lies far behind. A packet that is too short
/// for that, or that goes on in other buffers, starts again in the second variant, which looks at each load by itself. So what a packet
/// would not need is never a reason to reject it.
public struct ExpressionCode: Sendable {
    private let plan: ExpressionPlan?
    private let abilities: CaptureAbilities
    private let isPrecise: Bool
    /// What it says of every packet; nil if that depends on the packet.
    private let constant: Bool?

    /// Beyond that, jumps of 16 bits would not reach over it with what stands around it.
    static let sizeLimit = 30_000

    /// Throws `refused` for a program that is not right (``ClassicProgram/check()``), or too long.
    public init(_ program: ClassicProgram, abilities: CaptureAbilities) throws(XDPError) {
        try self.init(program, abilities: abilities, isOptimized: true)
    }

    init(_ program: ClassicProgram, abilities: CaptureAbilities, isOptimized: Bool) throws(XDPError) {
        self.abilities = abilities
        guard !program.instructions.isEmpty else {
            plan = nil
            isPrecise = false
            constant = true
            return
        }
        try program.check()
        let plan = ExpressionPlan(isOptimized ? program.optimized.instructions : program.instructions)
        self.plan = plan
        // Where there is no room for both variants the second one says the same, only more slowly.
        var code = Assembler()
        var trial = ExpressionEmitter(plan, abilities, code: code, reject: code.label(), isPrecise: false)
        trial.emit()
        isPrecise = trial.code.count > Self.sizeLimit
        if isPrecise {
            trial = ExpressionEmitter(plan, abilities, code: code, reject: code.label(), isPrecise: true)
            trial.emit()
        }
        constant = trial.canMatch ? (trial.canReject ? nil : true) : false
        guard trial.code.count <= Self.sizeLimit else {
            throw XDPError(
                .refused, "the expression '\(ClassicProgram.shortened(program.expression))' cannot be used",
                because:
                    "it takes \(trial.code.count) instructions, and a capture has room for \(Self.sizeLimit)",
                remedy: ClassicProgram.lengthRemedy)
        }
    }

    /// r6 is the context; falls through if the packet matches, else jumps to `reject`.
    public func emit(into code: inout Assembler, reject: Label) {
        if let constant {
            // No verifier takes instructions that nothing leads to, so there is a way to both, also where one is never gone.
            code.append(.move32(.r0, constant ? 1 : 0))
            return code.jump32(.equal, .r0, 0, to: reject)
        }
        guard let plan else { return }
        var emitter = ExpressionEmitter(plan, abilities, code: code, reject: reject, isPrecise: isPrecise)
        emitter.emit()
        code = emitter.code
    }
}
