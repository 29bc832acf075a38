// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Capture
import XDP

/// The code of an expression, loaded as a program that passes what matches and drops the rest; no licence that the kernel
/// shows more to. Needs root.
final class ExpressionProgram {
    let program: Program
    let statistics: VerifierStatistics?
    let size: Int

    /// - Parameter isOneBuffer: the program is for packets that lie in one buffer, whatever the kernel has.
    init(_ code: ExpressionCode, hasFrags: Bool, isOneBuffer: Bool = false) throws {
        var assembler = Assembler()
        let reject = assembler.label()
        assembler.append([
            .move(.r6, .r1), .move(.r5, isOneBuffer ? 1 : 0),
            .store(.doubleWord, .r5, to: .framePointer, offset: CaptureFrame.oneBuffer),
        ])
        code.emit(into: &assembler, reject: reject)
        assembler.append([.move(.r0, Int32(Verdict.pass.rawValue)), .exit])
        assembler.place(reject)
        assembler.append([.move(.r0, Int32(Verdict.drop.rawValue)), .exit])
        var image = ProgramImage(
            name: "expression", instructions: try assembler.assemble(longJumps: false).instructions,
            license: "Apache-2.0")
        image.supportsFrags = hasFrags && !isOneBuffer
        let loaded = try Program.load(image)
        size = image.instructions.count
        statistics = loaded.statistics
        program = loaded.take()
    }

    convenience init(_ expression: String, abilities: CaptureAbilities) throws {
        let code = try ExpressionCode(ClassicProgram(compiling: expression), abilities: abilities)
        try self.init(code, hasFrags: abilities.hasBufferAccess)
    }

    func matches(_ packet: [UInt8]) throws -> Bool {
        try program.testRun(packet).verdict == Verdict.pass.rawValue
    }
}
