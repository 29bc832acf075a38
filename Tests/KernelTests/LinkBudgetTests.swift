// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// What the linker predicts, against the verifier of this kernel. Needs root.
@Suite("Budgets on the kernel")
struct LinkBudgetTests {
    /// A member of nested functions with these depths; the innermost does what `does` says.
    struct Shape: CustomStringConvertible {
        enum Work: CaseIterable { case nothing, tailCall, loop, loopInMain, mayGoto }
        var depths: [Int]
        var work: Work

        var description: String { "\(depths) \(work)" }

        /// Instructions, with the program array as map 0.
        func body() throws(BytecodeError) -> [Instruction] {
            var code = Assembler()
            let functions = depths.map { _ in code.label() }
            let callback = code.label()
            for (frame, depth) in depths.enumerated() {
                let isLast = frame == depths.count - 1
                code.place(functions[frame])
                code.append(.move(.r6, .r1))
                if depth > 0 {
                    code.append(.storeImmediate(.doubleWord, 1, to: .framePointer, offset: Int16(-depth)))
                }
                if isLast, work == .tailCall {
                    code.append(Instruction.loadMap(.r2, index: 0))
                    code.append([.move(.r3, 0), .call(helper: 12)])
                }
                if isLast, work == .mayGoto { code.append([.mayGoto(1), .jump(-2)]) }
                if isLast && work == .loop || frame == 0 && work == .loopInMain {
                    code.append(.move(.r1, 4))
                    code.loadFunction(.r2, callback)
                    code.append([.move(.r3, 0), .move(.r4, 0), .call(helper: 181)])
                }
                if !isLast {
                    code.append(.move(.r1, .r6))
                    code.call(to: functions[frame + 1])
                }
                code.append([.move(.r0, 2), .exit])
            }
            if work == .loop || work == .loopInMain {
                code.place(callback)
                code.append([.move(.r0, 0), .exit])
            }
            return try code.assemble(longJumps: false).instructions
        }

        func member(_ name: String, array: UInt32) throws -> Member {
            var member = Member.of(name, try body(), maps: work == .tailCall ? [array] : [])
            member.unit.functions = []
            return member
        }
    }

    @Test("whatever the linker takes, the kernel takes", arguments: Amount.seeds)
    func shapes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let array = try MapHandle(
            MapDefinition(name: "array", type: .programArray, keySize: 4, valueSize: 4, maximumEntries: 1))
        var taken = 0
        var works: Set<Shape.Work> = []
        var known = Shape.Work.allCases
        if try KernelNeed.missing(for: "loop") != nil { known.removeAll { $0 == .loop || $0 == .loopInMain } }
        if try KernelNeed.missing(for: "may_goto") != nil { known.removeAll { $0 == .mayGoto } }
        for _ in 0..<60 {
            let shapes = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                Shape(
                    depths: (0..<Int.random(in: 1...4, using: &random)).map { _ in
                        [0, 8, 8, 16, 16, 48, 64, 96, 96, 160, 224, 232, 240, 248, 256, 400, 488]
                            .randomElement(using: &random) ?? 0
                    }, work: known.randomElement(using: &random) ?? .nothing)
            }
            let alone = try shapes.allSatisfy { shape in
                let chain = Chain(members: [try shape.member("only", array: array.id)])
                return (try? KernelChain(chain, maps: ["only": [array]])) != nil
            }
            guard alone else { continue }
            works.formUnion(shapes.map(\.work))
            let chain = Chain(
                members: try shapes.enumerated().map {
                    try $0.element.member("m\($0.offset)", array: array.id)
                })
            do throws(XDPError) {
                _ = try KernelChain(chain, maps: ["all": [array]])
                taken += 1
            } catch {
                // Refused by the linker is an answer; refused by the kernel is a wrong prediction.
                #expect(error.kind == .refused && error.details == nil, "\(shapes): \(error)")
            }
        }
        #expect(taken > 8)
        #expect(works == Set(known))
    }
}
