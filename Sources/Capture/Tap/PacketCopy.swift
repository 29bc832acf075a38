// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Copies a packet's bytes into its record where no helper does it (before Linux 5.18, where packets have one buffer).
///
/// 64 bytes a turn, and then the last 64 once more, wherever they begin: so there is no second loop for the rest, which the
/// verifier would follow from every turn. Packets of less do the same with 8 bytes. r1 is where the packet begins, r2 where it
/// ends, r3 how much is copied, r7 the record, r8 how much shall be.
enum PacketCopy {
    /// - Parameter broken: where it goes if the packet is shorter than r8 says, which never happens; the room is given up.
    static func emit(into code: inout Assembler, broken: Label) {
        let isCopied = code.label()
        let isShort = code.label()
        let isTiny = code.label()
        let givesUp = code.label()
        code.append([
            // `struct xdp_md` of linux/bpf.h: data, data_end.
            .load(.word, .r1, from: .r6, offset: 0), .load(.word, .r2, from: .r6, offset: 4),
            .move(.r3, 0),
        ])
        emitTurns(of: 64, into: &code, rest: isShort, isCopied, givesUp)
        emitTurns(of: 8, into: &code, rest: isTiny, isCopied, givesUp)
        let again = code.labelHere()
        code.append([.move(.r5, .r3), .add(.r5, 1)])
        code.jump(.less, .r8, .r5, to: isCopied)
        emitBlock(of: 1, into: &code, givesUp)
        code.append(.add(.r3, 1))
        code.jump(to: again)
        code.place(givesUp)
        code.append([.move(.r1, .r7), .move(.r2, 1), .call(helper: CaptureCode.Helper.discard)])
        code.jump(to: broken)
        code.place(isCopied)
    }

    /// Copies all if it is as much as a block, else goes to `rest`, which is placed behind.
    private static func emitTurns(
        of bytes: Int, into code: inout Assembler, rest: Label, _ isCopied: Label, _ givesUp: Label
    ) {
        let isLast = code.label()
        let again = code.labelHere()
        code.append([.move(.r5, .r3), .add(.r5, Int32(bytes))])
        // In this order: before 5.11 or so the verifier compares ranges with constants only.
        code.jump(.less, .r8, .r5, to: isLast)
        emitBlock(of: bytes, into: &code, givesUp)
        code.append(.add(.r3, Int32(bytes)))
        code.jump(to: again)
        code.place(isLast)
        code.jump(.less, .r8, Int32(bytes), to: rest)
        code.append([.move(.r3, .r8), .subtract(.r3, Int32(bytes))])
        emitBlock(of: bytes, into: &code, givesUp)
        code.jump(to: isCopied)
        code.place(rest)
    }

    /// Copies a block from r1 + r3.
    private static func emitBlock(of bytes: Int, into code: inout Assembler, _ givesUp: Label) {
        code.append([
            .move(.r0, .r1), .add(.r0, .r3), .move(.r4, .r0), .add(.r4, Int32(bytes)),
        ])
        code.jump(.greater, .r4, .r2, to: givesUp)
        code.append([.move(.r5, .r7), .add(.r5, .r3)])
        let size: MemorySize = bytes == 1 ? .byte : .doubleWord
        for place in stride(from: 0, to: bytes, by: Int(size.bytes)) {
            code.append([
                .load(size, .r4, from: .r0, offset: Int16(place)),
                .store(size, .r4, to: .r5, offset: Int16(CaptureRecord.headSize + place)),
            ])
        }
    }
}
