// SPDX-License-Identifier: Apache-2.0
import BPF
import PcapSupport
import TestSupport
import Testing
import XDP

@testable import Capture

/// What the verifier does for expressions: it walks a capture's code once for each point, and a chain has a million instructions
/// for all. Needs root.
@Suite("Captures: the verifier's work for expressions", .serialized)
struct CaptureExpressionWorkTests {
    private typealias Call = CaptureProgram.Call

    private struct Walk {
        var expression: String
        /// Instructions of the capture's code, and of those that the verifier followed for one more point.
        var size: Int
        var work: Int
    }

    private static func walk(_ program: ClassicProgram, _ abilities: CaptureAbilities) throws -> Walk {
        var request = CaptureRequest()
        request.program = program
        var works: [Int] = []
        for calls in [[Call(0)], [Call(0), Call(1, 2)]] {
            let loaded = try CaptureProgram(request, at: calls, abilities: abilities)
            works.append(try #require(loaded.statistics).processedInstructions)
        }
        let unit = try CaptureCode.unit(for: request, rings: 1, abilities: abilities)
        return Walk(expression: program.expression, size: unit.instructions.count, work: works[1] - works[0])
    }

    @Test("it stays moderate", arguments: [true, false])
    func distribution(hasBufferAccess: Bool) throws {
        var abilities = CaptureAbilities()
        abilities.hasBufferAccess = hasBufferAccess
        if hasBufferAccess { try KernelNeed.frags.check() }
        let base = try Self.walk(ClassicProgram(expression: "", instructions: []), abilities)
        var source = PcapExpression(seed: hasBufferAccess ? 31 : 32)
        var walks: [Walk] = []
        while walks.count < 12 * Amount.seeds.count {
            guard let program = try? ClassicProgram(compiling: source.next()) else { continue }
            do {
                walks.append(try Self.walk(program, abilities))
            } catch let error as BPFError {
                let log = error.verifierLog?.text.suffix(1000) ?? ""
                Issue.record("\(program.expression): \(error)\n\(log)")
                walks.append(Walk(expression: program.expression, size: 0, work: .max))
            }
        }
        walks.sort { $0.work < $1.work }
        func part(_ share: Int) -> Int { walks[min(walks.count * share / 1000, walks.count - 1)].work }
        print(
            "verifier for each point: \(base.work) without expression;",
            "median \(part(500)), 90 % \(part(900)),",
            "99 % \(part(990)), most \(part(1000))")
        for walk in walks.suffix(3) { print(walk.work, walk.size, walk.expression.prefix(100)) }
        #expect(part(500) < base.work + 500)
        #expect(part(900) < base.work + 3000)
        #expect(part(1000) < base.work + 30_000)
    }

    /// Questions about places behind each other, each of which leads to a match.
    private static func questions(_ count: Int) -> ClassicProgram {
        var operations: [ClassicOperation] = []
        var branches: [Int] = []
        for number in 0..<count {
            operations.append(.packet(.half, offset: UInt32(number), isIndexed: false))
            operations.append(.arithmetic(.and, .constant(0xfff0)))
            branches.append(operations.count)
            operations.append(.branch(.equal, .constant(0x10)))
            operations.append(.returnConstant(1))
        }
        operations.append(.returnConstant(0))
        var instructions = operations.map(\.instruction)
        for branch in branches { instructions[branch].ifFalse = 1 }
        return ClassicProgram(expression: "\(count) questions", instructions: instructions)
    }

    private static func limits() -> [(String, @Sendable (Int) throws -> ClassicProgram)] {
        [
            ("questions", { questions($0) }),
            (
                "nets",
                {
                    try ClassicProgram(
                        compiling: (0..<$0).map { "net 10.\($0 / 256).\($0 % 256).0/24" }.joined(
                            separator: " or "))
                }
            ),
            (
                "flows",
                {
                    try ClassicProgram(
                        compiling: (0..<$0).map { "(host 10.0.\($0).1 and tcp port \($0))" }.joined(
                            separator: " or "))
                }
            ),
        ]
    }

    @Test("what is not refused is not too much for the verifier", arguments: ["questions", "nets", "flows"])
    func limit(kind: String) throws {
        let make = try #require(Self.limits().first { $0.0 == kind }).1
        let abilities = CaptureAbilities.probed()
        var (loaded, refused) = (0, 0)
        // Long expressions take minutes to compile without optimisation where a processor is emulated.
        let counts = Amount.seeds.count > 5 ? [20, 100, 250] : [5, 10, 20]
        for count in kind == "questions" ? [100, 1000, 2000, 2700, 9000] : counts {
            let program = try make(count)
            var request = CaptureRequest()
            request.program = program
            let unit: XDP.Unit
            do throws(XDPError) {
                unit = try CaptureCode.unit(for: request, rings: 1, abilities: abilities)
            } catch {
                #expect(error.kind == .refused && error.remedy?.contains("several expressions") == true)
                print(count, kind, error.why)
                refused += 1
                continue
            }
            let work = try #require(CaptureProgram(request, abilities: abilities).statistics)
                .processedInstructions
            print(count, kind, "\(unit.instructions.count) instructions,", "verifier \(work)")
            #expect(work < 25_000 + 6 * unit.instructions.count)
            loaded += 1
        }
        #expect(loaded >= 3 && (refused > 0 || kind != "questions"))
    }
}
