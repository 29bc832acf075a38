// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// Chains of several programs must do what the same chain does in one.
@Suite("Segments and isolated members against a model")
struct SegmentModelTests {
    private static let array: UInt32 = 900

    /// A random chain, some of whose members have programs of their own.
    private struct Sample {
        var model: RandomChain
        var chain: Chain
        var separate: [Member]

        init(seed: UInt64, members: Int, countedFrom slot: Int?, using random: inout SeededGenerator) throws {
            model = RandomChain(seed: seed, members: members, countedFrom: slot)
            chain = model.chain
            for (place, member) in model.chain.members.enumerated()
            where Int.random(in: 0..<3, using: &random) == 0 {
                try chain.update(member.name) { $0.isolate(UInt32(2000 + place)) }
            }
            separate = chain.members.filter { $0.separate != nil }
        }

        func programs(
            _ starts: Set<Int>, counting: Linker.Counting = .none
        ) throws -> [LinkedProgram] {
            try Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 16)).link(
                chain, counting: counting, segmentation: .init(array: array, starts: starts))
        }
    }

    private static func cuts(_ count: Int, using random: inout SeededGenerator) -> Set<Int> {
        let share = Int.random(in: 1...4, using: &random)
        return Set((1..<max(count, 2)).filter { _ in Int.random(in: 0..<share, using: &random) == 0 })
    }

    @Test("random graphs, cut anywhere, lead packets as their edges say", arguments: UInt64(0)..<40)
    func paths(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for number in 0..<60 {
            let size = Int.random(in: 1...12, using: &random)
            let sample = try Sample(
                seed: seed * 1000 + UInt64(number), members: size, countedFrom: nil, using: &random)
            let starts = Self.cuts(size, using: &random)
            let programs = try sample.programs(starts)
            let most = try Self.budget(sample.chain, starts).most
            for _ in 0..<8 {
                let verdicts = (0..<size).map { _ in LinkerModelTests.verdict(&random) }
                var machine = ChainMachine(
                    programs, segmentArray: Self.array, separate: sample.separate
                ) { verdicts[$0] }

                let result = try machine.run()

                let expected = sample.model.walk { verdicts[$0] }
                #expect(machine.path == expected.path)
                #expect(result == expected.verdict)
                #expect(machine.tailCalls <= most)
                #expect(machine.steps.allSatisfy { $0.registers[1] == ChainMachine.context })
            }
        }
    }

    @Test("every single cut of a chain does", arguments: UInt64(0)..<6)
    func everyCut(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sample = try Sample(seed: seed + 500, members: 9, countedFrom: nil, using: &random)
        for start in 0...10 {
            let programs = try sample.programs([start])
            for _ in 0..<30 {
                let verdicts = (0..<9).map { _ in LinkerModelTests.verdict(&random) }
                var machine = ChainMachine(
                    programs, segmentArray: Self.array, separate: sample.separate
                ) { verdicts[$0] }
                #expect(try machine.run() == sample.model.walk { verdicts[$0] }.verdict)
                #expect(machine.path == sample.model.walk { verdicts[$0] }.path)
            }
        }
    }

    @Test(
        "counters are exact over all programs of a chain", arguments: CounterMode.allCases, UInt64(0)..<6)
    func counters(mode: CounterMode, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed + 40)
        let pageIDs: [UInt32] = [501, 502]
        for number in 0..<12 {
            let size = Int.random(in: 1...12, using: &random)
            // Some chains have their places across the border of two pages.
            let first = number % 2 == 0 ? CounterPage.members - 4 : 0
            let sample = try Sample(
                seed: seed * 100 + UInt64(number), members: size, countedFrom: first, using: &random)
            let programs = try sample.programs(
                Self.cuts(size, using: &random), counting: .init(mode: mode, pageIDs: pageIDs))
            for _ in 0..<12 {
                let verdicts = (0..<size).map { _ in LinkerModelTests.verdict(&random) }
                let length = Int.random(in: 14...1500, using: &random)
                var machine = ChainMachine(
                    programs, segmentArray: Self.array, separate: sample.separate, pageIDs: pageIDs,
                    packetLength: length
                ) { verdicts[$0] }

                let result = try machine.run()

                let walk = sample.model.walk { verdicts[$0] }
                #expect(machine.path == walk.path)
                #expect(result == walk.verdict)
                for member in 0..<size {
                    var expected = MemberCounters()
                    if mode != .off, walk.path.contains(member) {
                        let code = Int(min(UInt32(truncatingIfNeeded: verdicts[member]), 5))
                        expected.values[code].packets = 1
                        if mode == .bytes { expected.values[code].bytes = UInt64(length) }
                    }
                    #expect(machine.counters(slot: first + member) == expected)
                }
            }
        }
    }

    @Test("a segment that is entered at several members is a program for each, and holds what they reach")
    func entries() throws {
        let members: [Member] = [
            .scripted(0, edges: [.drop: .member("m2"), .tx: .member("m3")]), .scripted(1), .scripted(2),
            .scripted(3), .scripted(4, edges: [.pass: .end]),
        ]
        let chain = Chain(members: members)
        let programs = try Linker(limits: .oldest).link(
            chain, counting: .none, segmentation: .init(array: Self.array, starts: [2]))

        // m0 and m1; from m2 on, to which m0 leads and m1; from m3 on.
        #expect(programs.map { Set($0.segments.map(\.member)).subtracting([2, 3]) } == [[0, 1], [4], [4]])
        #expect(programs[1].compositions.map(\.segment) == [0, 0, 1, 1, 1])
        #expect(programs.allSatisfy { $0.compositions == programs[0].compositions })
        for (verdict, path) in [(UInt64(1), [0, 2, 3, 4]), (2, [0, 1, 2, 3, 4]), (3, [0, 3, 4]), (4, [0])] {
            var machine = ChainMachine(programs, segmentArray: Self.array, separate: []) {
                $0 == 0 ? verdict : 2
            }
            _ = try machine.run()
            #expect(machine.path == path)
            #expect(machine.tailCalls == (verdict == 4 ? 0 : 1))
        }
    }

    @Test("the same chain gives the same programs")
    func pure() throws {
        for seed in UInt64(0)..<20 {
            var random = SeededGenerator(seed: seed)
            let sample = try Sample(seed: seed, members: 12, countedFrom: 0, using: &random)
            let starts = Self.cuts(12, using: &random)
            let counting = Linker.Counting(mode: .bytes, pageIDs: [501])
            let one = try sample.programs(starts, counting: counting)
            let other = try sample.programs(starts, counting: counting)

            #expect(one.map(\.instructions) == other.map(\.instructions))
            #expect(one.map(\.mapIDs) == other.map(\.mapIDs))
            #expect(one.map(\.segments) == other.map(\.segments))
        }
    }

    @Test("bytes of a chain are counted in one way, also in a part whose members all know several buffers")
    func bytesInParts() throws {
        var members = [Member.scripted(0, slot: 0), .scripted(1, slot: 1)]
        members[0].unit.supportsFrags = true
        let programs = try Linker(limits: .oldest).link(
            Chain(members: members), counting: .init(mode: .bytes, pageIDs: [5]),
            segmentation: .init(array: Self.array, starts: [1]))

        // bpf_xdp_get_buff_len is of Linux 5.18.
        #expect(programs.allSatisfy { !$0.instructions.contains { $0.helperCall == 188 } })
        #expect(programs.allSatisfy { !$0.supportsFrags })
    }

    static func budget(_ chain: Chain, _ starts: Set<Int>) throws -> TailCallBudget {
        let graph = try ChainGraph(chain)
        let units = try graph.nodes.map { node in
            let member = chain.members[node.member]
            let stub = member.separate.map {
                CallStub(array: $0.arrayID, page: nil, slot: 0, fallback: .aborted)
            }
            return try LinkUnit(member, at: node.member, stub: stub)
        }
        return TailCallBudget(graph, units, parts: LinkGraph.parts(of: graph, starts: starts))
    }
}

extension Member {
    /// Gives it a program of its own in an array.
    mutating func isolate(_ array: UInt32) {
        separate = SeparateProgram(
            programID: 1, arrayID: array, supportsFrags: false, reason: SeparateProgram.wanted)
    }
}

extension ChainMachine {
    /// What a slot counted in the last run.
    func counters(slot: Int) -> MemberCounters {
        CounterPage.counters(slot: slot % CounterPage.members, in: page(slot / CounterPage.members))
    }
}
