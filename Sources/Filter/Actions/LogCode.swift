// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// The code of ``Action/log(_:)``: one piece for all reports of a filter, which reads of each rule what
/// ``LogParameters`` wrote.
///
/// A packet that the sample leaves out, or that comes too soon after others, is done at once. Of the others a
/// ``LogReport`` goes into the ring; where that has no room it is counted (``FilterState/lostReports``).
public enum LogCode {
    /// What is beyond that of a packet is not reported: more than the first buffer of a packet never holds.
    public static let longestSnapLength: UInt16 = 4096

    /// The places of the maps.
    public struct Maps: Sendable, Hashable {
        /// ``FilterMapRole/log``, as ``ActionMaps/log`` defines it.
        public var log: Int32
        public var state: Int32
        /// ``FilterMapRole/buckets``, as ``ActionMaps/buckets(for:)`` defines it.
        public var buckets: Int32

        public init(log: Int32, state: Int32, buckets: Int32) {
            self.log = log
            self.state = state
            self.buckets = buckets
        }
    }

    /// Of `enum bpf_func_id` (linux/bpf.h, 5.8).
    private enum Helper {
        static let reserve: Int32 = 131
        static let submit: Int32 = 132
        static let loadBytes: Int32 = 189
    }

    /// Emits the code, which reports the packet of the rule at r7 or not, and jumps to `done`.
    ///
    /// - Parameters:
    ///   - frame: without a length the report has that of the first buffer.
    ///   - snapLength: the largest of the filter's rules; each report takes that much of the ring.
    public static func emit(
        into code: inout Assembler, frame: FilterFrame, maps: Maps, snapLength: UInt16,
        abilities: CompilerInput.KernelAbilities, done: Label
    ) {
        let isAllowed = code.label()
        emitSample(into: &code, done: done)
        emitKey(into: &code, frame)
        BucketCode(
            scratch: frame.scratch, map: maps.buckets, hasCompareExchange: abilities.hasCompareExchange
        )
        .emit(into: &code, exceeded: done, within: isAllowed)
        code.place(isAllowed)
        let room = (min(snapLength, longestSnapLength) + 7) / 8 * 8
        emitReservation(into: &code, maps, room: room, done: done)
        emitHead(into: &code, frame)
        emitCopy(into: &code, room: room, hasHelper: abilities.hasFrags)
        code.append([.move(.r1, .r8), .move(.r2, 0), .call(helper: Helper.submit)])
        code.jump(to: done)
    }

    private static func parameter(_ offset: Int) -> Int16 { Int16(RuleRecord.parameters + offset) }

    private static func emitSample(into code: inout Assembler, done: Label) {
        let threshold = Instruction.load(
            .word, .r1, from: .r7, offset: parameter(LogParameters.Offset.threshold))
        let isChosen = code.label()
        code.append(threshold)
        code.jump32(.equal, .r1, Int32(bitPattern: LogParameters.everyPacket), to: isChosen)
        code.append([.call(helper: BucketCode.Helper.random), threshold])
        code.jump32(.greater, .r0, .r1, to: done)
        code.place(isChosen)
    }

    /// The bucket of the rule; it costs 1.
    private static func emitKey(into code: inout Assembler, _ frame: FilterFrame) {
        code.append([
            .load(.word, .r1, from: .r7, offset: 8),
            .store(.doubleWord, .r1, to: .framePointer, offset: frame.scratch),
            .move(.r1, 0),
            .store(.doubleWord, .r1, to: .framePointer, offset: frame.scratch + 8),
            .store(.doubleWord, .r1, to: .framePointer, offset: frame.scratch + 16),
            .move(.r8, 1),
        ])
    }

    /// Room in the ring, in r8.
    private static func emitReservation(
        into code: inout Assembler, _ maps: Maps, room: UInt16, done: Label
    ) {
        let isThere = code.label()
        code.append(Instruction.loadMap(.r1, index: maps.log))
        code.append([
            .move(.r2, Int32(LogReport.headSize) + Int32(room)), .move(.r3, 0),
            .call(helper: Helper.reserve),
        ])
        code.jump(.notEqual, .r0, 0, to: isThere)
        code.append(
            Instruction.loadMapValue(.r1, index: maps.state, offset: Int32(FilterState.lostReports)))
        code.append([.move(.r2, 1), .atomicAdd(.doubleWord, .r2, to: .r1)])
        code.jump(to: done)
        code.place(isThere)
        code.append(.move(.r8, .r0))
    }

    /// What stands before the packet's bytes. Leaves where the first buffer begins and ends in r1 and r2.
    private static func emitHead(into code: inout Assembler, _ frame: FilterFrame) {
        typealias Offset = LogReport.Offset
        code.append([
            .call(helper: BucketCode.Helper.time),
            .store(.doubleWord, .r0, to: .r8, offset: Offset.time),
            .load(.word, .r1, from: .r7, offset: 8),
            .store(.word, .r1, to: .r8, offset: Offset.rule),
            // `struct xdp_md` of linux/bpf.h: ingress_ifindex, rx_queue_index, data, data_end.
            .load(.word, .r1, from: .r6, offset: 12),
            .store(.word, .r1, to: .r8, offset: Offset.interface),
            .load(.word, .r1, from: .r6, offset: 16),
            .store(.word, .r1, to: .r8, offset: Offset.queue),
            .storeImmediate(.word, 0, to: .r8, offset: Offset.unused),
            .load(.word, .r1, from: .r6, offset: 0),
            .load(.word, .r2, from: .r6, offset: 4),
        ])
        if let length = frame.length {
            code.append(.load(.doubleWord, .r3, from: .framePointer, offset: length))
        } else {
            code.append([.move(.r3, .r2), .subtract(.r3, .r1)])
        }
        code.append(.store(.word, .r3, to: .r8, offset: Offset.length))
    }

    /// Copies from between r1 and r2: eight bytes at a time, then what is left one by one.
    ///
    /// Where there is the helper for it (5.18, with buffers of several pieces) that does it: the verifier follows this
    /// code once for every rule that logs, and each turn of the loop.
    private static func emitCopy(into code: inout Assembler, room: UInt16, hasHelper: Bool) {
        let copied = code.label()
        let isBounded = code.label()
        let fits = code.label()
        code.append([
            .move(.r4, .r2), .subtract(.r4, .r1),
            .load(.word, .r5, from: .r7, offset: parameter(LogParameters.Offset.snapLength)),
        ])
        code.jump(.lessOrEqual, .r4, .r5, to: isBounded)
        code.append(.move(.r4, .r5))
        code.place(isBounded)
        code.jump(.lessOrEqual, .r4, Int32(room), to: fits)
        code.append(.move(.r4, Int32(room)))
        code.place(fits)
        guard !hasHelper else { return emitCopyByHelper(into: &code) }
        code.append(.move(.r3, 0))
        for size in [MemorySize.doubleWord, .byte] {
            let bytes = Int16(size.bytes)
            let again = code.labelHere()
            let next = code.label()
            code.append([.move(.r5, .r3), .add(.r5, Int32(bytes))])
            // In this order: before 5.11 or so the verifier compares ranges with constants only.
            code.jump(.less, .r4, .r5, to: next)
            code.append([.move(.r5, .r1), .add(.r5, .r3), .add(.r5, Int32(bytes))])
            // Never: but the verifier wants to see it.
            code.jump(.greater, .r5, .r2, to: copied)
            code.append([
                .load(size, .r5, from: .r5, offset: -bytes),
                .move(.r0, .r8), .add(.r0, .r3),
                .store(size, .r5, to: .r0, offset: Int16(LogReport.headSize)),
                .add(.r3, Int32(bytes)),
            ])
            code.jump(to: again)
            code.place(next)
        }
        code.place(copied)
        code.append(.store(.word, .r3, to: .r8, offset: LogReport.Offset.captured))
    }

    /// Copies as many bytes as r4 says from the beginning of the packet.
    private static func emitCopyByHelper(into code: inout Assembler) {
        let copied = code.label()
        code.append(.store(.word, .r4, to: .r8, offset: LogReport.Offset.captured))
        // Not `== 0`, of which verifiers up to 6.1 learn nothing about the other numbers.
        code.jump(.less, .r4, 1, to: copied)
        code.append([
            .move(.r1, .r6), .move(.r2, 0), .move(.r3, .r8), .add(.r3, Int32(LogReport.headSize)),
            .call(helper: Helper.loadBytes),
        ])
        code.place(copied)
    }
}
