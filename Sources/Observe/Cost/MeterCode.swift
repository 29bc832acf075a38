// SPDX-License-Identifier: Apache-2.0
import Bytecode
import Capture
import XDP

/// The unit of a ``Tap`` that measures what members cost: it reads the clock where they begin and where they end.
///
///     the packet's 8 bytes: 0    it is seen for the first time: one of so many is measured
///                           1    this one is not
///                           else when the last point was passed
///     add the time since then to the point's sum, if there is one
///     the time, read again, into the 8 bytes: so nothing of this is in what comes next
///
/// From the start to the first member's entry nothing happens: what is measured there is what measuring takes, the clock and the
/// calls, and is in every other sum, too.
public struct MeterCode {
    /// One of so many packets of a CPU is measured. A prime number: a chain of several programs decides once in each, which shall
    /// not fall on the same program again and again.
    public static let period: Int32 = 1021

    /// Of `enum bpf_func_id` (linux/bpf.h).
    private enum Helper {
        static let time: Int32 = 5
        static let processor: Int32 = 8
    }

    /// The one map is ``MeterPage``.
    private static let page: Int32 = 0

    /// Both sides of every member, and the start.
    static let selection = TapSelection(start: true, allEntries: true, allExits: true)

    static func unit() throws(XDPError) -> Unit {
        var code = Assembler()
        let done = code.label()
        code.append(.load(.doubleWord, .r1, from: .r4))
        // Most packets.
        code.jump(.equal, .r1, 1, to: done)
        let isMeasured = code.label()
        let isChosen = code.label()
        let stamp = code.label()
        code.append([.move(.r6, .r4), .move(.r7, .r2), .move(.r8, .r1)])
        code.jump(.notEqual, .r8, 0, to: isMeasured)
        code.append(.call(helper: Helper.processor))
        code.append(Instruction.loadMapValue(.r9, index: page, offset: Int32(MeterPage.packets)))
        code.append([
            .alu64(.and, .r0, Int32(CapturePage.processors - 1)), .alu64(.shiftLeft, .r0, 6),
            .add(.r9, .r0), .load(.doubleWord, .r1, from: .r9), .add(.r1, 1),
        ])
        code.jump(.greaterOrEqual, .r1, period, to: isChosen)
        code.append([
            .store(.doubleWord, .r1, to: .r9), .move(.r1, 1), .store(.doubleWord, .r1, to: .r6),
        ])
        code.jump(to: done)
        code.place(isChosen)
        code.append([.move(.r1, 0), .store(.doubleWord, .r1, to: .r9)])
        code.jump(to: stamp)
        code.place(isMeasured)
        code.append([
            .call(helper: Helper.time), .subtract(.r0, .r8),
            .alu64(.and, .r7, Int32(Tap.maximumPoints - 1)), .alu64(.shiftLeft, .r7, 4),
        ])
        code.append(Instruction.loadMapValue(.r1, index: page, offset: Int32(MeterPage.sums)))
        code.append([
            .add(.r1, .r7), .atomicAdd(.doubleWord, .r0, to: .r1),
            .move(.r2, 1), .atomicAdd(.doubleWord, .r2, to: .r1, offset: MeterPage.countOffset),
        ])
        code.place(stamp)
        code.append([.call(helper: Helper.time), .store(.doubleWord, .r0, to: .r6)])
        code.place(done)
        code.append([.move(.r0, 0), .exit])
        do throws(BytecodeError) {
            return Unit(
                program: "meter", license: "Dual BSD/GPL", supportsFrags: true,
                instructions: try code.assemble(longJumps: false).instructions,
                maps: [UnitMap(name: MeterPage.definition.name, definition: MeterPage.definition)],
                functions: [.init(instruction: 0, name: "meter")])
        } catch {
            throw XDPError(.failed, "The cost of members cannot be measured", because: "\(error)")
        }
    }
}
