// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What the linker finds out about a unit before it decides anything.
struct LinkUnit {
    let member: Int
    let name: String
    let unit: Unit
    let mapIDs: [UInt32]
    let layout: ProgramLayout
    let stack: StackUse
    /// Bytes of the main function's frame, a multiple of 8.
    let depth: Int
    /// Registers other than r1 and r10 that the main function might read before it writes them; only
    /// hand-written assembly has such, in code that never runs.
    let liveRegisters: [Register]
    let hasTailCalls: Bool

    init(_ member: Member, at place: Int) throws(XDPError) {
        self.member = place
        name = member.name
        unit = member.unit
        mapIDs = member.mapIDs
        do throws(BytecodeError) {
            layout = try ProgramLayout(unit.instructions)
        } catch {
            throw XDPError(
                .failed, "\(member.name) cannot be linked", because: "its bytecode is damaged: \(error)",
                remedy: "Rebuild or replace the object")
        }
        let graph = ControlFlowGraph(unit.instructions, in: layout.main)
        stack = StackUse(main: graph, unit.instructions, layout: layout)
        depth = stack.main
        let live = Liveness(graph).atEntry
        liveRegisters = (0...9).map { Register(rawValue: $0) }.filter { $0 != .r1 && live.contains($0) }
        hasTailCalls = unit.instructions.contains(where: \.isTailCall)
    }

    /// Bytes of the deepest call chain that starts with the main function's subprograms.
    func depthBelowMain(rounding: Int) -> Int {
        layout.calls(from: 0).map { stack.combinedDepth(from: $0.callee, rounding: rounding) }.max() ?? 0
    }

    /// Bytes of the deepest call chain, the main function included.
    func depthWithMain(rounding: Int) -> Int {
        stack.combinedDepth(from: 0, rounding: rounding)
    }
}
