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
        var (complaint, isPrecise, constant): (String?, Bool, Bool?) = (nil, false, nil)
        // Where there is no room for both variants the second one says the same, only more slowly.
        for onlyPrecise in [false, true] where !onlyPrecise || complaint != nil {
            var code = Assembler()
            let reject = code.label()
            var trial = ExpressionEmitter(plan, abilities, code: code, reject: reject, isPrecise: onlyPrecise)
            trial.emit()
            isPrecise = onlyPrecise
            constant = trial.canMatch ? (trial.canReject ? nil : true) : false
            complaint = Self.complaint(about: trial.code, reject)
        }
        if let complaint {
            throw XDPError(
                .refused, "the expression '\(ClassicProgram.shortened(program.expression))' cannot be used",
                because: complaint, remedy: ClassicProgram.lengthRemedy)
        }
        self.isPrecise = isPrecise
        self.constant = constant
    }

    /// r6 is the context, and ``CaptureFrame/oneBuffer`` is set; falls through if the packet matches, else jumps to `reject`.
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

// What the kernel would refuse, in words that say less.
extension ExpressionCode {
    /// Beyond that, jumps of 16 bits would not reach over it with what stands around it.
    static let sizeLimit = 30_000
    /// Half of what the verifier keeps (BPF_COMPLEXITY_LIMIT_JMP_SEQ), because members have branches, too.
    static let branchLimit = 4096

    private static func complaint(about code: Assembler, _ reject: Label) -> String? {
        guard code.count <= sizeLimit else {
            return "it takes \(code.count) instructions, and a capture has room for \(sizeLimit)"
        }
        var code = code
        code.append(.exit)
        code.place(reject)
        code.append(.exit)
        guard let assembly = try? code.assemble(longJumps: false) else { return "its jumps are too long" }
        let branches = postponed(in: assembly.instructions)
        guard branches > branchLimit else { return nil }
        return "it asks \(branches) questions one behind the other, and the limit is \(branchLimit)"
    }

    /// How many branches the verifier keeps at most for later, while it follows what stands behind them. All jumps lead forwards.
    private static func postponed(in instructions: [Instruction]) -> Int {
        var behind = [Int](repeating: 0, count: instructions.count + 1)
        for (index, instruction) in instructions.enumerated().reversed() {
            let next = behind[index + 1]
            guard let distance = instruction.jumpDistance else {
                behind[index] = next
                continue
            }
            let target = behind[min(max(index + 1 + Int(distance), index + 1), instructions.count)]
            behind[index] = instruction.isUnconditionalJump ? target : max(next + 1, target)
        }
        return behind.first ?? 0
    }
}
