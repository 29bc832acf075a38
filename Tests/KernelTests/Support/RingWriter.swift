// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// A program that writes numbered records of different lengths into a ring, and gives up every eighth.
///
/// | Record | Content |
/// |---|---|
/// | 0 | 8 bytes: its number, from 1 |
/// | 8 | each byte is the lower byte of its offset |
final class RingWriter: Sendable {
    let ring: MapHandle
    let program: Program
    private let value: MapHandle

    private static let valueSize = 2048
    private static let lost: Int16 = 2040
    static let everyGivenUp: UInt64 = 8

    static func length(of number: UInt64) -> Int { Int(number &* 37 & 1023) + 8 }

    init(size: UInt32) throws {
        ring = try MapHandle(
            MapDefinition(name: "ring", type: .ringBuffer, keySize: 0, valueSize: 0, maximumEntries: size))
        value = try MapHandle(
            MapDefinition(
                name: "value", type: .array, keySize: 4, valueSize: UInt32(Self.valueSize), maximumEntries: 1)
        )
        let pattern = (0..<Self.valueSize).map { UInt8(truncatingIfNeeded: $0) }
        try value.map.update(
            [0, 0, 0, 0],
            to: [UInt8](repeating: 0, count: 8) + pattern[8..<Int(Self.lost)]
                + [UInt8](repeating: 0, count: 8))
        let image = ProgramImage(
            name: "writer",
            instructions: try Self.code(
                ring: ring.map.descriptor.rawValue, value: value.map.descriptor.rawValue),
            license: "Dual BSD/GPL")
        program = try Program.load(image).take()
    }

    /// How many records there was no room for.
    func lostRecords() throws -> UInt64 {
        let bytes = try value.map.lookup([0, 0, 0, 0], valueSize: Self.valueSize) ?? []
        return ByteReader(bytes).integer(at: Int(Self.lost)) ?? 0
    }

    func write(_ records: UInt32) throws {
        _ = try program.testRun([UInt8](repeating: 0, count: 64), repeats: records)
    }

    private static func code(ring: Int32, value: Int32) throws -> [Instruction] {
        // Of `enum bpf_func_id`: output, reserve, discard.
        let helpers: (output: Int32, reserve: Int32, discard: Int32) = (130, 131, 133)
        var code = Assembler()
        let writes = code.label()
        let fails = code.label()
        let ends = code.label()
        code.append(Instruction.loadMapValue(.r6, descriptor: value, offset: 0))
        code.append([
            .load(.doubleWord, .r7, from: .r6), .add(.r7, 1), .store(.doubleWord, .r7, to: .r6),
            .move(.r1, .r7), .alu64(.and, .r1, Int32(everyGivenUp - 1)),
        ])
        code.jump(.notEqual, .r1, 0, to: writes)
        code.append(Instruction.loadMap(.r1, descriptor: ring))
        code.append([.move(.r2, 24), .move(.r3, 0), .call(helper: helpers.reserve)])
        code.jump(.equal, .r0, 0, to: ends)
        code.append([.move(.r1, .r0), .move(.r2, 0), .call(helper: helpers.discard)])
        code.jump(to: ends)
        code.place(writes)
        code.append(Instruction.loadMap(.r1, descriptor: ring))
        code.append([
            .move(.r2, .r6), .move(.r3, .r7), .alu64(.multiply, .r3, 37), .alu64(.and, .r3, 1023),
            .add(.r3, 8), .move(.r4, 0), .call(helper: helpers.output),
        ])
        code.jump(.notEqual, .r0, 0, to: fails)
        code.place(ends)
        code.append([.move(.r0, 2), .exit])
        code.place(fails)
        code.append([
            .load(.doubleWord, .r1, from: .r6, offset: lost), .add(.r1, 1),
            .store(.doubleWord, .r1, to: .r6, offset: lost), .move(.r0, 2), .exit,
        ])
        return try code.assemble(longJumps: false).instructions
    }
}
