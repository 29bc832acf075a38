// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// Random programs, run by the tests' machine: what they return is what the analysis says they can return.
@Suite("Analysis of random programs")
struct AnalysisModelTests {
    private static let context: UInt64 = 0x1000
    private static let packet: UInt64 = 0x10000

    private func run(_ program: [Instruction], _ packet: [UInt8]) throws -> UInt64 {
        let words = [
            UInt32(Self.packet), UInt32(Self.packet) + UInt32(packet.count), UInt32(Self.packet), 1, 0, 0,
        ]
        let context = words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
        let memory = InterpreterMemory([
            .init(address: Self.context, bytes: context), .init(address: Self.packet, bytes: packet),
        ])
        var machine = Interpreter(program, memory: memory)
        return try machine.run(r1: Self.context)
    }

    @Test("all 64 bits of what they return are in the set", arguments: 0..<UInt64(20))
    func sound(group: UInt64) throws {
        var precise = 0
        for number in 0..<60 {
            let seed = group << 32 | UInt64(number)
            let program = RandomProgram.make(seed: seed, isModern: true)
            let code = ProgramCode(name: "random", instructions: program)
            var walk = ProgramWalk(code, layout: try ProgramLayout(program))
            try walk.walk()
            let sets = walk.record.exits.values.map { $0.value.number ?? .full }
            let analysis = ProgramAnalysis(of: code)
            #expect(analysis.assumption == nil)
            if analysis.undecided.isEmpty { precise += 1 }
            var random = SeededGenerator(seed: seed)
            for round in 0..<12 {
                let length = round == 0 ? 20 : RandomProgram.packetLength
                let mask: UInt8 = round % 3 == 0 ? 0x0f : 0xff
                let packet = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) & mask }
                let result = try run(program, packet)
                let listing = { Instruction.listing(program).map(\.description).joined(separator: "\n") }
                #expect(sets.contains { $0.contains(result) }, "seed \(seed): \(result)\n\(listing())")
                let code = UInt32(truncatingIfNeeded: result)
                if let verdict = Verdict(rawValue: code) {
                    let isRemoved = verdict == .redirect && !analysis.undecided.isEmpty
                    #expect(analysis.verdictSet.contains(verdict) || isRemoved, "seed \(seed)")
                } else {
                    #expect(!analysis.otherCodes.isEmpty, "seed \(seed)")
                }
            }
        }
        // A set of everything would be sound as well.
        #expect(precise > 30)
    }
}
