// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@Suite struct EncodingTests {
    @Test("every op-code byte survives encoding and decoding, with every field at its extremes")
    func roundTrip() throws {
        for byte in UInt8.min...UInt8.max {
            for (offset, immediate) in [(0, 0), (Int16.min, Int32.max), (Int16.max, Int32.min), (-1, -1)] {
                let instruction = Instruction(
                    Opcode(rawValue: byte), destination: .r10, source: Register(rawValue: 15),
                    offset: offset, immediate: immediate)

                let decoded = try Instruction.decode(Instruction.encode([instruction, .exit]))

                #expect(decoded == [instruction, .exit])
            }
        }
    }

    #if _endian(little)
        @Test("the destination is the low half of the register byte on a little-endian host")
        func layout() {
            let instruction = Instruction.store(.doubleWord, .r1, to: .r10, offset: -8)

            #expect(instruction.bytes == [0x7b, 0x1a, 0xf8, 0xff, 0, 0, 0, 0])
            #expect(Instruction.move(.r0, 0x0102_0304).bytes == [0xb7, 0, 0, 0, 4, 3, 2, 1])
        }
    #endif

    @Test("bytes that are not a multiple of eight are refused", arguments: [1, 7, 9, 15])
    func truncated(count: Int) {
        #expect(throws: BytecodeError(.truncated(bytes: count))) {
            try Instruction.decode([UInt8](repeating: 0, count: count))
        }
    }

    @Test("op-codes are the kernel's numbers", arguments: opcodes)
    func numbers(instruction: Instruction, byte: UInt8) {
        #expect(instruction.opcode.rawValue == byte)
    }

    /// From the kernel's instruction set document and BPF_* macros.
    static let opcodes: [(Instruction, UInt8)] = [
        (.move(.r1, .r2), 0xbf), (.move(.r1, 2), 0xb7), (.move32(.r1, .r2), 0xbc), (.move32(.r1, 2), 0xb4),
        (.add(.r1, 1), 0x07), (.subtract(.r1, .r2), 0x1f), (.multiply(.r1, 1), 0x27), (.divide(.r1, 1), 0x37),
        (.or(.r1, 1), 0x47), (.and32(.r1, 1), 0x54), (.shiftLeft(.r1, 1), 0x67), (.shiftRight(.r1, 1), 0x77),
        (.negate(.r1), 0x87), (.modulo(.r1, 1), 0x97), (.xor(.r1, .r1), 0xaf),
        (.arithmeticShiftRight(.r1, 1), 0xc7), (.toBigEndian(.r1, bits: 16), 0xdc),
        (.toLittleEndian(.r1, bits: 16), 0xd4), (.byteSwap(.r1, bits: 16), 0xd7),
        (.load(.word, .r1, from: .r2), 0x61), (.load(.halfWord, .r1, from: .r2), 0x69),
        (.load(.byte, .r1, from: .r2), 0x71), (.load(.doubleWord, .r1, from: .r2), 0x79),
        (.loadSigned(.word, .r1, from: .r2), 0x81), (.storeImmediate(.doubleWord, 0, to: .r10), 0x7a),
        (.store(.word, .r1, to: .r10), 0x63), (.atomicAdd(.doubleWord, .r1, to: .r2), 0xdb),
        (.loadMap(.r1, index: 0)[0], 0x18), (.jump(1), 0x05), (.longJump(1), 0x06), (.mayGoto(1), 0xe5),
        (.jump(.equal, .r0, 1, 1), 0x15), (.jump32(.equal, .r0, 1, 1), 0x16),
        (.jump(.signedLessOrEqual, .r0, .r1, 1), 0xdd), (.call(helper: 1), 0x85), (.exit, 0x95),
    ]

    @Test("the halves of a 64-bit load carry marker and immediates", arguments: wideLoads)
    func wide(halves: [Instruction], marker: UInt8, first: Int32, second: Int32) {
        #expect(halves.count == 2)
        #expect(halves[0].source.rawValue == marker)
        #expect(halves[0].immediate == first)
        #expect(halves[1] == Instruction(Opcode(rawValue: 0), immediate: second))
    }

    static let wideLoads: [([Instruction], UInt8, Int32, Int32)] = [
        (Instruction.loadImmediate64(.r1, 0xffff_fffe_8000_0001), 0, Int32.min + 1, -2),
        (Instruction.loadMap(.r1, descriptor: 9), 1, 9, 0),
        (Instruction.loadMapValue(.r1, descriptor: 9, offset: 8), 2, 9, 8),
        (Instruction.loadFunction(.r1, relative: -3), 4, -3, 0),
        (Instruction.loadMap(.r1, index: 3), 5, 3, 0),
        (Instruction.loadMapValue(.r1, index: 3, offset: 16), 6, 3, 16),
    ]
}
