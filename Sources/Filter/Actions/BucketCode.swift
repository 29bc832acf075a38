// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// The code that takes from a token bucket: what ``RateClock/admits(_:to:at:)`` says, in the kernel.
///
/// The scratch of the frame holds
///
/// | Offset | Size | Content |
/// |---|---|---|
/// | 0 | 4 | the rule's number |
/// | 4 | 4 | 4 or 6 where the bucket is of a network, else 0 |
/// | 8 | 16 | the network |
/// | 24 | 8 | a new bucket |
/// | 32 | 8 | now, on the rule's clock |
/// | 40 | 8 | what the packet costs |
///
/// of which the first 24 bytes are the key.
///
/// **Several CPUs.** Where the kernel has compare-and-exchange (5.12), a packet moves the bucket exactly if nobody else moved it
/// meanwhile, and tries again otherwise; one that was overtaken ``tries`` times is beyond the limit. So
/// never more comes through than the limit allows. On older kernels two CPUs that look at one bucket in the
/// same nanoseconds can both take what only one of them should: as many times the rate as there are CPUs if all
/// of them did so all the time, in practice a few packets.
///
/// A new bucket that the kernel has no memory for is taken to be full: the packet is within.
struct BucketCode {
    static let keySize = 24
    static let tries: Int32 = 8

    private enum Scratch {
        static let fresh: Int16 = 24
        static let now: Int16 = 32
        static let cost: Int16 = 40
    }

    /// Of `enum bpf_func_id` and the flags of map updates (linux/bpf.h).
    enum Helper {
        static let lookup: Int32 = 1
        static let update: Int32 = 2
        static let time: Int32 = 5
        static let random: Int32 = 7
    }
    private static let onlyNew: Int32 = 1

    /// The scratch's offset from r10.
    let scratch: Int16
    /// The place of the buckets' map.
    let map: Int32
    let hasCompareExchange: Bool

    private func parameter(_ offset: Int) -> Int16 { Int16(RuleRecord.parameters + offset) }

    /// Emits the code; the key is in the scratch, the quantity (1, or the packet's bytes) in r8.
    func emit(into code: inout Assembler, exceeded: Label, within: Label) {
        emitClock(into: &code)
        let known = code.label()
        emitLookup(into: &code)
        code.jump(.notEqual, .r0, 0, to: known)
        emitFresh(into: &code, exceeded: exceeded, within: within)
        code.place(known)
        emitTake(into: &code, exceeded: exceeded, within: within)
    }

    /// Now and the cost, into the scratch.
    private func emitClock(into code: inout Assembler) {
        code.append([
            .load(.doubleWord, .r1, from: .r7, offset: parameter(LimitParameters.Offset.cost)),
            .alu64(.multiply, .r8, .r1),
            .load(.byte, .r1, from: .r7, offset: parameter(LimitParameters.Offset.fraction)),
            .alu64(.shiftRight, .r8, .r1),
            .store(.doubleWord, .r8, to: .framePointer, offset: scratch + Scratch.cost),
            .call(helper: Helper.time),
            .load(.halfWord, .r1, from: .r7, offset: parameter(LimitParameters.Offset.multiplier)),
            .alu64(.multiply, .r0, .r1),
            .store(.doubleWord, .r0, to: .framePointer, offset: scratch + Scratch.now),
        ])
    }

    private func emitLookup(into code: inout Assembler) {
        code.append(Instruction.loadMap(.r1, index: map))
        code.append([
            .move(.r2, .framePointer), .add(.r2, Int32(scratch)), .call(helper: Helper.lookup),
        ])
    }

    /// A bucket that is not there yet is full.
    private func emitFresh(into code: inout Assembler, exceeded: Label, within: Label) {
        code.append([
            .load(.doubleWord, .r3, from: .framePointer, offset: scratch + Scratch.cost),
            .load(.doubleWord, .r4, from: .r7, offset: parameter(LimitParameters.Offset.window)),
        ])
        code.jump(.greater, .r3, .r4, to: exceeded)
        code.append([
            .load(.doubleWord, .r1, from: .framePointer, offset: scratch + Scratch.now),
            .add(.r3, .r1),
            .store(.doubleWord, .r3, to: .framePointer, offset: scratch + Scratch.fresh),
        ])
        code.append(Instruction.loadMap(.r1, index: map))
        code.append([
            .move(.r2, .framePointer), .add(.r2, Int32(scratch)),
            .move(.r3, .framePointer), .add(.r3, Int32(scratch + Scratch.fresh)),
            .move(.r4, Self.onlyNew), .call(helper: Helper.update),
        ])
        code.jump(.equal, .r0, 0, to: within)
        // Another CPU was faster, or there is no memory.
        emitLookup(into: &code)
        code.jump(.equal, .r0, 0, to: within)
    }

    /// Moves the bucket at r0 on.
    private func emitTake(into code: inout Assembler, exceeded: Label, within: Label) {
        code.append([.move(.r1, .r0), .move(.r8, Self.tries)])
        let again = code.labelHere()
        let isAhead = code.label()
        code.append([
            .load(.doubleWord, .r0, from: .r1),
            .load(.doubleWord, .r2, from: .framePointer, offset: scratch + Scratch.now),
            .move(.r3, .r0), .subtract(.r3, .r2),
            .load(.doubleWord, .r4, from: .r7, offset: parameter(LimitParameters.Offset.horizon)),
        ])
        code.jump(.lessOrEqual, .r3, .r4, to: isAhead)
        code.append(.move(.r3, 0))
        code.place(isAhead)
        code.append([
            .load(.doubleWord, .r4, from: .framePointer, offset: scratch + Scratch.cost), .add(.r3, .r4),
            .load(.doubleWord, .r4, from: .r7, offset: parameter(LimitParameters.Offset.window)),
        ])
        code.jump(.greater, .r3, .r4, to: exceeded)
        code.append(.add(.r3, .r2))
        guard hasCompareExchange else {
            code.append(.store(.doubleWord, .r3, to: .r1))
            return code.jump(to: within)
        }
        code.append([.move(.r5, .r0), .atomic(.compareExchange, .doubleWord, .r3, to: .r1)])
        code.jump(.equal, .r0, .r5, to: within)
        code.append(.subtract(.r8, 1))
        code.jump(.notEqual, .r8, 0, to: again)
        code.jump(to: exceeded)
    }
}
