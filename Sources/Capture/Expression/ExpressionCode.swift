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
            return
        }
        try program.check()
        let plan = ExpressionPlan(isOptimized ? program.optimized.instructions : program.instructions)
        self.plan = plan
        // Where there is no room for both variants the second one says the same, only more slowly.
        var size = Int.max
        var isPrecise = false
        for choice in [false, true] where size > Self.sizeLimit {
            isPrecise = choice
            size = Self.size(plan, abilities, isPrecise: choice)
        }
        self.isPrecise = isPrecise
        guard size <= Self.sizeLimit else {
            throw XDPError(
                .refused, "the expression '\(ClassicProgram.shortened(program.expression))' cannot be used",
                because:
                    "it takes \(size) instructions of the kernel's, and a capture has room for \(Self.sizeLimit)",
                remedy: ClassicProgram.lengthRemedy)
        }
    }

    private static func size(
        _ plan: ExpressionPlan, _ abilities: CaptureAbilities, isPrecise: Bool
    ) -> Int {
        var code = Assembler()
        let reject = code.label()
        var emitter = ExpressionEmitter(plan, abilities, code: code, reject: reject, isPrecise: isPrecise)
        emitter.emit()
        return emitter.code.count
    }

    /// r6 is the context; falls through if the packet matches, else jumps to `reject`.
    public func emit(into code: inout Assembler, reject: Label) {
        guard let plan else { return }
        var emitter = ExpressionEmitter(plan, abilities, code: code, reject: reject, isPrecise: isPrecise)
        emitter.emit()
        code = emitter.code
    }
}
