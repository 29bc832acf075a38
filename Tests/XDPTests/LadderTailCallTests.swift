// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// The 33 tail calls that all programs of a chain share.
@Suite("Ladder: tail calls")
struct LadderTailCallTests {
    private static let array: UInt32 = 900
    private let linker = Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 16))

    private func isolated(_ number: Int, edges: [Verdict: Edge] = [:]) -> Member {
        var member = Member.scripted(number, edges: edges, slot: number)
        member.isolate(UInt32(2000 + number))
        return member
    }

    /// A member that uses up all tail calls, by calling itself.
    private func spender(_ number: Int) -> Member {
        var body = Instruction.loadMap(.r2, index: 0)
        body += [.move(.r3, 0), .call(helper: 12), .move(.r0, 2), .exit]
        var member = Member.of("m\(number)", body, maps: [UInt32(2000 + number)], slot: number)
        // Its own array is the one it is called through: it calls itself.
        member.isolate(UInt32(2000 + number))
        return member
    }

    private func link(_ chain: Chain, _ starts: Set<Int> = []) throws(LinkFailure) -> [LinkedProgram] {
        try linker.link(
            chain, counting: .init(mode: .packets, pageIDs: [501]),
            segmentation: .init(array: Self.array, starts: starts))
    }

    private func machine(
        _ chain: Chain, _ programs: [LinkedProgram]
    ) -> ChainMachine {
        ChainMachine(
            programs, segmentArray: Self.array, separate: chain.members.filter { $0.separate != nil },
            pageIDs: [501])
    }

    @Test("thirty-three programs of their own in a row are what a packet can meet, and it meets them")
    func most() throws {
        let chain = Chain(members: (0..<33).map { isolated($0) })
        var machine = machine(chain, try link(chain))

        #expect(try machine.run() == 2)
        #expect(machine.path == Array(0..<33))
        #expect(machine.tailCalls == 33)
    }

    @Test("a way that needs more is refused, and everybody on it is named")
    func tooMany() throws {
        // m40 is beside the way.
        var members = (0..<33).map { isolated($0) } + [Member.scripted(33)]
        members[32].edges = [.pass: .end, .drop: .member("m33")]
        let chain = Chain(members: members)
        let failure = #expect(throws: LinkFailure.self) { try link(chain, [33]) }

        #expect(failure?.error.kind == .refused)
        let why = failure?.error.why ?? ""
        #expect(why.contains("may do 33, and 34 are on its way"), "\(why)")
        for member in members.prefix(33) { #expect(why.contains(member.name)) }
        _ = try link(chain)
    }

    @Test("what the budget says is what the worst packet meets", arguments: UInt64(0)..<30)
    func worst(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let size = 4
        var chain = RandomChain(seed: seed, members: size, countedFrom: nil).chain
        for (place, member) in chain.members.enumerated() where Bool.random(using: &random) {
            try chain.update(member.name) { $0.isolate(UInt32(2000 + place)) }
        }
        let starts = Set((1..<size).filter { _ in Bool.random(using: &random) })
        let programs = try link(chain, starts)
        var met = 0
        // Every combination of verdicts.
        for combination in 0..<625 {
            var machine = ChainMachine(
                programs, segmentArray: Self.array, separate: chain.members.filter { $0.separate != nil },
                pageIDs: [501]
            ) { member in
                UInt64((0..<member).reduce(combination) { rest, _ in rest / 5 } % 5)
            }
            _ = try machine.run()
            met = max(met, machine.tailCalls)
        }

        #expect(met == (try SegmentModelTests.budget(chain, starts).most))
    }

    @Test("a member that is called in its own program and does tail calls there counts twice")
    func both() throws {
        let chain = Chain(members: [spender(0)])
        #expect(try SegmentModelTests.budget(chain, []).most == 2)
    }

    @Test(
        "a member that cannot be reached any more is counted, and the fallback verdict is its",
        arguments: [Verdict.aborted, .drop, .pass])
    func missedMember(fallback: Verdict) throws {
        var chain = Chain(members: [spender(0), isolated(1), .scripted(2, slot: 2)])
        chain.fallback = fallback
        var machine = machine(chain, try link(chain))

        #expect(try machine.run() == UInt64(fallback == .pass ? Verdict.pass.rawValue : fallback.rawValue))
        #expect(machine.path == (fallback == .pass ? [2] : []))
        #expect(machine.tailCalls == 33)
        #expect(machine.counters(slot: 1).missed.packets == 1)
        #expect(machine.counters(slot: 1)[fallback].packets == 1)
        #expect(machine.counters(slot: 0).missed.packets == 0)
    }

    @Test(
        "a segment that cannot be reached ends the chain with the fallback verdict, and is counted for its first",
        arguments: CounterMode.allCases)
    func missedSegment(mode: CounterMode) throws {
        var chain = Chain(members: [spender(0), .scripted(1, slot: 1), .scripted(2, slot: 2)])
        chain.fallback = .drop
        let programs = try linker.link(
            chain, counting: .init(mode: mode, pageIDs: [501]),
            segmentation: .init(array: Self.array, starts: [1]))
        var machine = machine(chain, programs)

        #expect(try machine.run() == UInt64(Verdict.drop.rawValue))
        #expect(machine.path.isEmpty)
        #expect(machine.counters(slot: 1).missed.packets == 1)
        #expect(machine.counters(slot: 1).total.packets == 0)
        #expect(machine.counters(slot: 2) == MemberCounters())
    }

    @Test("an empty array misses every packet")
    func empty() throws {
        let chain = Chain(members: [isolated(0), .scripted(1, slot: 1)])
        let programs = try link(chain)
        var machine = ChainMachine(programs, segmentArray: Self.array, separate: [], pageIDs: [501])

        #expect(try machine.run() == 0)
        #expect(machine.counters(slot: 0).missed.packets == 1)
    }
}
