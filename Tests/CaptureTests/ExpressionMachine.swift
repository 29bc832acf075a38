// SPDX-License-Identifier: Apache-2.0
import Bytecode
import PcapSupport
import TestSupport

@testable import Capture

/// The code of an expression in the tests' machine, which has the helpers that it calls.
struct ExpressionMachine {
    /// For packets that may lie in several buffers, and for those of one.
    private let instructions: [[Instruction]]

    init(_ code: ExpressionCode) throws {
        instructions = try [0, 1].map { try Self.instructions(code, oneBuffer: $0) }
    }

    private static func instructions(_ code: ExpressionCode, oneBuffer: Int32) throws -> [Instruction] {
        var assembler = Assembler()
        let reject = assembler.label()
        assembler.append([
            .move(.r6, .r1), .move(.r5, oneBuffer),
            .store(.doubleWord, .r5, to: .framePointer, offset: CaptureFrame.oneBuffer), .move(.r5, 0),
        ])
        code.emit(into: &assembler, reject: reject)
        assembler.append([.move(.r0, 1), .exit])
        assembler.place(reject)
        assembler.append([.move(.r0, 0), .exit])
        return try assembler.assemble(longJumps: false).instructions
    }

    private static let context: UInt64 = 0x1000
    private static let packet: UInt64 = 0x10_0000

    /// Whether it matches a packet of which so many bytes lie in the first buffer.
    ///
    /// - Parameter isOneBuffer: the chain takes no others than packets that lie there as a whole.
    func matches(_ bytes: [UInt8], linear: Int, isOneBuffer: Bool = false) throws -> Bool {
        var memory = InterpreterMemory()
        var context = [UInt8](repeating: 0xee, count: 24)
        for (place, value) in [(0, Self.packet), (4, Self.packet + UInt64(linear))] {
            for byte in 0..<4 { context[place + byte] = UInt8(value >> UInt64(8 * byte) & 0xff) }
        }
        memory.regions = [
            .init(address: Self.context, bytes: context),
            .init(address: Self.packet, bytes: Array(bytes.prefix(linear))),
        ]
        let store = Store(bytes: bytes, isOneBuffer: isOneBuffer)
        var machine = Interpreter(instructions[isOneBuffer ? 1 : 0], memory: memory)
        machine.helperMemory = store.answer
        return try machine.run(r1: Self.context) == 1
    }

    /// What the kernel's helpers do with the packet.
    private struct Store {
        let bytes: [UInt8]
        let isOneBuffer: Bool

        func answer(_ id: Int32, _ registers: [UInt64], _ write: (UInt64, [UInt8]) -> Bool) throws -> UInt64 {
            switch id {
            case 188:
                // Where there is but one buffer nobody has to be asked.
                guard registers[1] == ExpressionMachine.context, !isOneBuffer else { throw Wrong.call }
                return UInt64(bytes.count)
            case 189:
                let (offset, size) = (registers[2] & 0xffff_ffff, registers[4])
                guard registers[1] == ExpressionMachine.context, [1, 2, 4].contains(size) else {
                    throw Wrong.call
                }
                guard offset + size <= UInt64(bytes.count) else { return UInt64(bitPattern: -22) }
                let part = Array(bytes[Int(offset)..<Int(offset + size)])
                guard write(registers[3], part) else { throw Wrong.call }
                return 0
            default: throw Wrong.call
            }
        }
    }

    enum Wrong: Error { case call }
}

extension PcapFilter {
    /// One of ours, for libpcap's interpreter.
    convenience init?(_ program: ClassicProgram) {
        self.init(
            instructions: program.instructions.map {
                Instruction(code: $0.code, ifTrue: $0.ifTrue, ifFalse: $0.ifFalse, operand: $0.operand)
            })
    }
}
