// SPDX-License-Identifier: Apache-2.0
import Bytecode
import XDP

/// The unit of a capture's ``Tap``: what runs for a packet at a point.
///
///     is it one of the verdicts?                        (where the point has one)
///     does the expression match?                        (``ExpressionCode``)
///     the packet's 8 bytes: 0    it is seen for the first time: sampled, numbered
///                           1    the sample left it out
///                           else its number
///     the CPU's ring; shall the reader be woken?
///     room of a size that suffices                      (``RecordRooms``)
///     the ``CaptureRecord``, the time last of all, and the bytes
///
/// The time is read once the room is reserved: so a record with an earlier time than another one's is in its ring, or is being
/// written there, when that one is seen. ``RingMerger`` relies on it.
public struct CaptureCode {
    private let request: CaptureRequest
    private let rings: Int
    private let abilities: CaptureAbilities

    /// The places of the maps.
    public enum Map {
        /// As ``CapturePage`` defines it.
        public static let page: Int32 = 0
        /// A ring buffer, or an array of so many of them as there are rings.
        public static let rings: Int32 = 1
    }

    /// Of `enum bpf_func_id` (linux/bpf.h).
    enum Helper {
        static let lookup: Int32 = 1
        static let time: Int32 = 5
        static let processor: Int32 = 8
        static let reserve: Int32 = 131
        static let submit: Int32 = 132
        static let discard: Int32 = 133
        static let query: Int32 = 134
        static let length: Int32 = 188
        static let loadBytes: Int32 = 189
    }

    /// `BPF_RB_NO_WAKEUP`, `BPF_RB_FORCE_WAKEUP` and `BPF_RB_AVAIL_DATA` (linux/bpf.h).
    private static let noWakeup: Int32 = 1
    private static let forceWakeup: Int32 = 2
    private static let availableData: Int32 = 0

    /// Makes the unit. Its maps are what ``Map`` says.
    ///
    /// - Parameter rings: a power of two: a packet's record goes to the ring of this number that its CPU has modulo it.
    public static func unit(
        for request: CaptureRequest, rings: Int, abilities: CaptureAbilities
    ) throws(XDPError) -> Unit {
        let what = "The capture cannot be compiled"
        guard rings > 0, rings & (rings - 1) == 0 else {
            throw XDPError(.invalid, what, because: "\(rings) is no power of two")
        }
        guard request.every > 0 else {
            throw XDPError(
                .invalid, what, because: "one of every 0 packets is none", remedy: "Take 1 for all packets")
        }
        guard CaptureRequest.snapLengths.contains(request.snapLength) else {
            throw XDPError(
                .invalid, what, because: "a packet cannot be cut at \(request.snapLength) bytes",
                remedy: "Take a length between 1 and \(CaptureRequest.snapLengths.upperBound)")
        }
        let code = try CaptureCode(request: request, rings: rings, abilities: abilities).emitted()
        do throws(BytecodeError) {
            return XDP.Unit(
                program: "capture", license: "Dual BSD/GPL", supportsFrags: abilities.hasBufferAccess,
                instructions: try code.assemble(longJumps: false).instructions,
                maps: [
                    UnitMap(name: CapturePage.definition.name, definition: CapturePage.definition),
                    UnitMap(
                        name: CaptureRings.mapName, definition: CaptureRings.definition(rings: rings)),
                ],
                functions: [.init(instruction: 0, name: "capture")])
        } catch {
            throw XDPError(.failed, what, because: "\(error)", remedy: "Take a shorter expression")
        }
    }

    private func emitted() throws(XDPError) -> Assembler {
        var code = Assembler()
        let done = code.label()
        let lost = code.label()
        code.append([
            .move(.r6, .r1),
            .store(.word, .r2, to: .framePointer, offset: CaptureFrame.point),
            .store(.word, .r3, to: .framePointer, offset: CaptureFrame.verdict),
            .store(.doubleWord, .r4, to: .framePointer, offset: CaptureFrame.packet),
        ])
        if abilities.hasBufferAccess {
            code.append(.store(.doubleWord, .r5, to: .framePointer, offset: CaptureFrame.oneBuffer))
        }
        emitVerdicts(into: &code, done: done)
        try emitExpression(into: &code, done: done)
        emitNumber(into: &code, done: done)
        emitRing(into: &code, lost: lost)
        emitWakeup(into: &code)
        emitRoom(into: &code, lost: lost)
        emitHead(into: &code)
        if abilities.hasBufferAccess {
            emitCopyByHelper(into: &code)
        } else {
            PacketCopy.emit(into: &code, broken: lost)
        }
        code.append([
            .move(.r1, .r7), .load(.word, .r2, from: .framePointer, offset: CaptureFrame.wakeup),
            .call(helper: Helper.submit),
        ])
        code.jump(to: done)
        code.place(lost)
        code.append(.load(.word, .r1, from: .framePointer, offset: CaptureFrame.point))
        code.append([.alu64(.and, .r1, Int32(Tap.maximumPoints - 1)), .alu64(.shiftLeft, .r1, 3)])
        code.append(Instruction.loadMapValue(.r2, index: Map.page, offset: Int32(CapturePage.lost)))
        code.append([.add(.r2, .r1), .move(.r1, 1), .atomicAdd(.doubleWord, .r1, to: .r2)])
        code.place(done)
        code.append([.move(.r0, 0), .exit])
        return code
    }

    // MARK: - Which packets

    private func emitVerdicts(into code: inout Assembler, done: Label) {
        guard let verdicts = request.verdicts else { return }
        let isWanted = code.label()
        let isVerdict = code.label()
        let mask = verdicts.reduce(UInt32(0)) { $0 | 1 << $1.rawValue }
        code.append(.move32(.r1, .r3))
        code.jump32(.equal, .r1, Int32(bitPattern: Tap.noVerdict), to: isWanted)
        let last = Verdict.allCases.map(\.rawValue).max() ?? 0
        code.jump32(.lessOrEqual, .r1, Int32(last), to: isVerdict)
        code.append(.move(.r1, Int32(Verdict.aborted.rawValue)))
        code.place(isVerdict)
        code.append([.move(.r2, Int32(mask)), .alu64(.shiftRight, .r2, .r1), .alu64(.and, .r2, 1)])
        code.jump(.equal, .r2, 0, to: done)
        code.place(isWanted)
    }

    private func emitExpression(into code: inout Assembler, done: Label) throws(XDPError) {
        guard !request.program.instructions.isEmpty else { return }
        try ExpressionCode(request.program, abilities: abilities).emit(into: &code, reject: done)
    }

    /// The packet's number, in the frame, and the CPU's. A packet that is seen for the first time is sampled.
    private func emitNumber(into code: inout Assembler, done: Label) {
        let isKnown = code.label()
        code.append([
            .call(helper: Helper.processor),
            .store(.word, .r0, to: .framePointer, offset: CaptureFrame.cpu),
            .load(.doubleWord, .r7, from: .framePointer, offset: CaptureFrame.packet),
            .load(.doubleWord, .r8, from: .r7),
        ])
        code.jump(.notEqual, .r8, 0, to: isKnown)
        code.append(Instruction.loadMapValue(.r9, index: Map.page, offset: Int32(CapturePage.samples)))
        code.append([
            .move(.r1, .r0), .alu64(.and, .r1, Int32(CapturePage.processors - 1)),
            .alu64(.shiftLeft, .r1, 6), .add(.r9, .r1),
        ])
        if request.every > 1 {
            let isChosen = code.label()
            code.append([
                .load(.doubleWord, .r1, from: .r9), .add(.r1, 1), .move(.r2, 0),
                .store(.doubleWord, .r2, to: .r9),
            ])
            code.jump32(.greaterOrEqual, .r1, Int32(bitPattern: request.every), to: isChosen)
            code.append([
                .store(.doubleWord, .r1, to: .r9), .move(.r2, 1), .store(.doubleWord, .r2, to: .r7),
            ])
            code.jump(to: done)
            code.place(isChosen)
        }
        code.append([
            .load(.doubleWord, .r8, from: .r9, offset: CapturePage.numberOffset), .add(.r8, 1),
            .store(.doubleWord, .r8, to: .r9, offset: CapturePage.numberOffset),
            .alu64(.shiftLeft, .r8, 12), .alu64(.and, .r0, 0xfff), .alu64(.or, .r8, .r0),
            .store(.doubleWord, .r8, to: .r7),
        ])
        code.place(isKnown)
        if request.every > 1 { code.jump(.equal, .r8, 1, to: done) }
        code.append(.store(.doubleWord, .r8, to: .framePointer, offset: CaptureFrame.number))
    }

    // MARK: - Room

    /// The ring, in r9.
    private func emitRing(into code: inout Assembler, lost: Label) {
        guard rings > 1 else {
            return code.append(Instruction.loadMap(.r9, index: Map.rings))
        }
        code.append([
            .load(.word, .r1, from: .framePointer, offset: CaptureFrame.cpu),
            .alu64(.and, .r1, Int32(rings - 1)),
            .store(.word, .r1, to: .framePointer, offset: CaptureFrame.key),
        ])
        code.append(Instruction.loadMap(.r1, index: Map.rings))
        code.append([
            .move(.r2, .framePointer), .add(.r2, Int32(CaptureFrame.key)),
            .call(helper: Helper.lookup),
        ])
        code.jump(.equal, .r0, 0, to: lost)
        code.append(.move(.r9, .r0))
    }

    /// With what the record is submitted. Waking costs as much as ten records, so it is done once for each time that the reader
    /// sleeps, and only when much is there; else the reader comes by itself.
    private func emitWakeup(into code: inout Assembler) {
        let isQuiet = code.label()
        let isSet = code.label()
        code.append(Instruction.loadMapValue(.r1, index: Map.page, offset: Int32(CapturePage.wakeup)))
        code.append(.load(.word, .r7, from: .r1))
        code.jump(.equal, .r7, 0, to: isQuiet)
        code.append([
            .move(.r1, .r9), .move(.r2, Self.availableData), .call(helper: Helper.query),
        ])
        code.jump(.lessOrEqual, .r0, .r7, to: isQuiet)
        code.append(Instruction.loadMapValue(.r1, index: Map.page, offset: Int32(CapturePage.wakeup)))
        code.append([
            .move(.r2, 0), .store(.word, .r2, to: .r1),
            .move(.r2, Self.forceWakeup),
            .store(.word, .r2, to: .framePointer, offset: CaptureFrame.wakeup),
        ])
        code.jump(to: isSet)
        code.place(isQuiet)
        code.append([
            .move(.r2, Self.noWakeup),
            .store(.word, .r2, to: .framePointer, offset: CaptureFrame.wakeup),
        ])
        code.place(isSet)
    }

    /// How many bytes are kept, in r8, and room for the record in r7.
    private func emitRoom(into code: inout Assembler, lost: Label) {
        let rooms = RecordRooms(snapLength: request.snapLength, abilities: abilities)
        emitLength(into: &code)
        code.append(.store(.word, .r8, to: .framePointer, offset: CaptureFrame.length))
        let isShort = code.label()
        let isCut = code.label()
        let reserve = code.label()
        // In this order: the verifier follows the way on first, and then finds that the cut one is known already.
        code.jump(.greater, .r8, Int32(rooms.maximum), to: isCut)
        code.place(isShort)
        emitLadder(into: &code, rooms.sizes[...], reserve: reserve)
        code.place(isCut)
        code.append(.move(.r8, Int32(rooms.maximum)))
        code.jump(to: isShort)
        code.place(reserve)
        // A number each, as the verifier wants it: it looks at what follows once for every size.
        code.append([.move(.r1, .r9), .move(.r3, 0), .call(helper: Helper.reserve)])
        code.jump(.equal, .r0, 0, to: lost)
        code.append(.move(.r7, .r0))
    }

    /// The packet's length, in r8.
    private func emitLength(into code: inout Assembler) {
        let isInOne = code.label()
        let isKnown = code.label()
        if abilities.hasBufferAccess {
            code.append(.load(.doubleWord, .r1, from: .framePointer, offset: CaptureFrame.oneBuffer))
            code.jump(.notEqual, .r1, 0, to: isInOne)
            code.append([.move(.r1, .r6), .call(helper: Helper.length), .move(.r8, .r0)])
            code.jump(to: isKnown)
        }
        code.place(isInOne)
        // `struct xdp_md` of linux/bpf.h: data, data_end.
        code.append([
            .load(.word, .r8, from: .r6, offset: 4), .load(.word, .r1, from: .r6, offset: 0),
            .subtract(.r8, .r1),
        ])
        code.place(isKnown)
    }

    /// Finds the smallest size for r8 bytes by halving.
    private func emitLadder(into code: inout Assembler, _ sizes: ArraySlice<Int>, reserve: Label) {
        guard sizes.count > 1, let first = sizes.indices.first else {
            code.append(.move(.r2, Int32(CaptureRecord.headSize + (sizes.first ?? 0))))
            return code.jump(to: reserve)
        }
        let middle = first + sizes.count / 2
        let isLarger = code.label()
        code.jump(.greater, .r8, Int32(sizes[middle - 1]), to: isLarger)
        emitLadder(into: &code, sizes[first..<middle], reserve: reserve)
        code.place(isLarger)
        emitLadder(into: &code, sizes[middle...], reserve: reserve)
    }

    // MARK: - The record

    private func emitHead(into code: inout Assembler) {
        typealias Offset = CaptureRecord.Offset
        code.append([
            .call(helper: Helper.time),
            .store(.doubleWord, .r0, to: .r7, offset: Offset.time),
            .load(.doubleWord, .r1, from: .framePointer, offset: CaptureFrame.number),
            .store(.doubleWord, .r1, to: .r7, offset: Offset.packet),
            .load(.word, .r1, from: .framePointer, offset: CaptureFrame.length),
            .store(.word, .r1, to: .r7, offset: Offset.length),
            .store(.word, .r8, to: .r7, offset: Offset.captured),
            // Both beside each other, here and there.
            .load(.doubleWord, .r1, from: .framePointer, offset: CaptureFrame.point),
            .store(.doubleWord, .r1, to: .r7, offset: Offset.point),
            // rx_queue_index
            .load(.word, .r1, from: .r6, offset: 16),
            .store(.word, .r1, to: .r7, offset: Offset.queue),
            .load(.word, .r1, from: .framePointer, offset: CaptureFrame.cpu),
            .store(.word, .r1, to: .r7, offset: Offset.cpu),
        ])
    }

    /// Copies as many bytes as r8 says, over all buffers. The helper takes 65535 at a time.
    private func emitCopyByHelper(into code: inout Assembler) {
        let isCopied = code.label()
        let isLong = code.label()
        let isShort = code.label()
        // Not `== 0`, of which verifiers up to 6.1 learn nothing about the other numbers.
        code.jump(.less, .r8, 1, to: isCopied)
        let head = Int32(CaptureRecord.headSize)
        code.jump(.greater, .r8, 65_535, to: isLong)
        code.append([.move(.r2, 0), .move(.r3, .r7), .add(.r3, head), .move(.r4, .r8)])
        code.place(isShort)
        code.append([.move(.r1, .r6), .call(helper: Helper.loadBytes)])
        code.jump(to: isCopied)
        code.place(isLong)
        code.append([
            .move(.r1, .r6), .move(.r2, 0), .move(.r3, .r7), .add(.r3, head), .move(.r4, 32_768),
            .call(helper: Helper.loadBytes),
            .move(.r2, 32_768), .move(.r3, .r7), .add(.r3, head + 32_768), .move(.r4, .r8),
            .subtract(.r4, 32_768),
        ])
        code.jump(to: isShort)
        code.place(isCopied)
    }
}
