// SPDX-License-Identifier: Apache-2.0
import Bytecode
import Capture
import XDP

/// The unit of a ``Tap`` that measures what members cost: it reads the clock where they end, and so where the next one begins.
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

    /// On the stack: the address of the packet's 8 bytes, the point's number, and when the last one was passed.
    private static let (place, number, last): (Int16, Int16, Int16) = (-8, -16, -24)

    /// The one map is ``MeterPage``.
    private static let page: Int32 = 0

    /// The start, the first member's entry and every exit: a member is measured from the exit of the one before to its own. Of a
    /// chain that is not known yet, because somebody else's program becomes one, every entry.
    ///
    /// Each point is a call, which all packets pay; entries would double them. In further segments of the chain, where the packet's
    /// 8 bytes start anew, there are entries, too.
    static func selection(of chain: Chain?) -> TapSelection {
        guard let first = chain?.members.first else {
            return TapSelection(start: true, allEntries: true, allExits: true)
        }
        let members = chain?.members ?? []
        return TapSelection(
            start: true, allExits: true,
            entries: [first.name] + members.filter { $0.composition.segment > 0 }.map(\.name))
    }

    static func unit() throws(XDPError) -> Unit {
        var code = Assembler()
        let done = code.label()
        code.append(.load(.doubleWord, .r1, from: .r4))
        // Most packets.
        code.jump(.equal, .r1, 1, to: done)
        let isMeasured = code.label()
        let isChosen = code.label()
        let stamp = code.label()
        // On the stack, and in no register that is kept over calls: those are saved and restored whenever this is called.
        code.append([
            .store(.doubleWord, .r4, to: .framePointer, offset: place),
            .store(.doubleWord, .r2, to: .framePointer, offset: number),
            .store(.doubleWord, .r1, to: .framePointer, offset: last),
        ])
        code.jump(.notEqual, .r1, 0, to: isMeasured)
        code.append(.call(helper: Helper.processor))
        code.append(Instruction.loadMapValue(.r1, index: page, offset: Int32(MeterPage.packets)))
        code.append([
            .alu64(.and, .r0, Int32(CapturePage.processors - 1)), .alu64(.shiftLeft, .r0, 6),
            .add(.r1, .r0), .load(.doubleWord, .r2, from: .r1), .add(.r2, 1),
        ])
        code.jump(.greaterOrEqual, .r2, period, to: isChosen)
        code.append([
            .store(.doubleWord, .r2, to: .r1), .move(.r2, 1),
            .load(.doubleWord, .r4, from: .framePointer, offset: place), .store(.doubleWord, .r2, to: .r4),
        ])
        code.jump(to: done)
        code.place(isChosen)
        code.append([.move(.r2, 0), .store(.doubleWord, .r2, to: .r1)])
        code.jump(to: stamp)
        code.place(isMeasured)
        code.append([
            .call(helper: Helper.time),
            .load(.doubleWord, .r1, from: .framePointer, offset: last), .subtract(.r0, .r1),
            .load(.doubleWord, .r2, from: .framePointer, offset: number),
            .alu64(.and, .r2, Int32(Tap.maximumPoints - 1)), .alu64(.shiftLeft, .r2, 4),
        ])
        code.append(Instruction.loadMapValue(.r1, index: page, offset: Int32(MeterPage.sums)))
        code.append([
            .add(.r1, .r2), .atomicAdd(.doubleWord, .r0, to: .r1),
            .move(.r2, 1), .atomicAdd(.doubleWord, .r2, to: .r1, offset: MeterPage.countOffset),
        ])
        code.place(stamp)
        code.append([
            .call(helper: Helper.time),
            .load(.doubleWord, .r4, from: .framePointer, offset: place), .store(.doubleWord, .r0, to: .r4),
        ])
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
