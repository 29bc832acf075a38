// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

@Suite("What the linker makes of members")
struct LinkerRuleTests {
    private let linker = Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 16))

    private func link(_ members: Member...) throws(XDPError) -> LinkedProgram {
        try linker.link(Chain(members: members), counting: .none)
    }

    // MARK: Verdicts

    @Test("verdicts are compared in 32 bits: what stands above does not matter")
    func verdictWidth() throws {
        let linked = try link(.scripted(0), .scripted(1))
        var machine = ChainMachine(linked) { $0 == 0 ? 0xdead_beef_0000_0002 : 1 }

        let verdict = try machine.run()

        #expect(machine.path == [0, 1])
        #expect(verdict == 1)
    }

    @Test("a code that is no verdict ends the chain and is returned", arguments: [5, 8, 16, 0xffff_ffff])
    func unknownVerdict(code: UInt64) throws {
        var everywhere: [Verdict: Edge] = [:]
        for verdict in Verdict.allCases { everywhere[verdict] = .next }
        let linked = try link(.scripted(0, edges: everywhere), .scripted(1))
        var machine = ChainMachine(linked) { _ in code }

        let verdict = try machine.run()

        #expect(machine.path == [0])
        #expect(verdict == code)
    }

    @Test("every verdict follows its own edge", arguments: Verdict.allCases)
    func edges(verdict: Verdict) throws {
        let edges: [Verdict: Edge] = [
            .aborted: .member("m1"), .drop: .member("m2"), .pass: .member("m3"), .tx: .member("m4"),
            .redirect: .member("m5"),
        ]
        let linked = try linker.link(
            Chain(
                members: [.scripted(0, edges: edges)] + (1...5).map { .scripted($0, edges: [.pass: .end]) }),
            counting: .none)
        var machine = ChainMachine(linked) { $0 == 0 ? UInt64(verdict.rawValue) : 2 }

        #expect(try machine.run() == 2)
        #expect(machine.path == [0, Int(verdict.rawValue) + 1])
    }

    // MARK: Graph

    @Test("members that no packet can reach are not in the program")
    func pruning() throws {
        let linked = try link(.scripted(0, edges: [.pass: .member("m2")]), .scripted(1), .scripted(2))

        #expect(linked.compositions.map(\.mode) == [.inline, .unreachable, .inline])
        #expect(!linked.instructions.contains { $0.helperCall == ChainMachine.firstScript + 1 })
        #expect(!linked.segments.contains { $0.member == 1 })
    }

    @Test("a member with many predecessors is there once")
    func oneCopy() throws {
        let all: [Verdict: Edge] = [.pass: .next, .drop: .member("m3"), .tx: .member("m3")]
        let linked = try link(
            .scripted(0, edges: all), .scripted(1, edges: all), .scripted(2, edges: all), .scripted(3))

        for member in 0..<4 {
            let calls = linked.instructions.filter {
                $0.helperCall == ChainMachine.firstScript + Int32(member)
            }
            #expect(calls.count == 1)
        }
    }

    @Test("the same chain gives the same program")
    func purity() throws {
        let chain = RandomChain(seed: 11, members: 20, countedFrom: 0).chain
        let counting = Linker.Counting(mode: .bytes, pageIDs: [900])

        let first = try linker.link(chain, counting: counting)
        let second = try linker.link(chain, counting: counting)

        #expect(first.instructions == second.instructions)
        #expect(first.lines == second.lines)
        #expect(first.functions == second.functions)
        #expect(first.mapIDs == second.mapIDs)
        #expect(first.segments == second.segments)
    }

    @Test("an empty chain is refused")
    func empty() {
        #expect(throws: XDPError.self) { try linker.link(Chain(), counting: .none) }
    }

    // MARK: The context and what earlier members leave

    /// Fills its frame of `depth` bytes and r2 to r9 with its own marks, and asks for its verdict.
    private func filler(_ number: Int, depth: Int) -> Member {
        var body: [Instruction] = []
        for offset in stride(from: 8, through: depth, by: 8) {
            body.append(.storeImmediate(.doubleWord, 0x77, to: .framePointer, offset: Int16(-offset)))
        }
        for register in 2...9 { body.append(.move(Register(rawValue: UInt8(register)), 0x66)) }
        body += [.call(helper: ChainMachine.firstScript + Int32(number)), .exit]
        return .of("m\(number)", body)
    }

    /// Puts what stands at a stack slot into r3, and what is in r9 into r4, before it asks for its verdict.
    private func looker(_ number: Int, slot: Int16) -> Member {
        .of(
            "m\(number)",
            [
                .load(.doubleWord, .r3, from: .framePointer, offset: slot), .move(.r4, .r9),
                .call(helper: ChainMachine.firstScript + Int32(number)), .exit,
            ])
    }

    @Test("every member gets the context in r1, whatever earlier ones did to registers and stack")
    func context() throws {
        let linked = try link(filler(0, depth: 64), filler(1, depth: 128), .scripted(2))
        var machine = ChainMachine(linked)

        _ = try machine.run()

        #expect(machine.path == [0, 1, 2])
        #expect(machine.steps.map { $0.registers[1] } == [UInt64](repeating: ChainMachine.context, count: 3))
    }

    @Test("the context is kept below what members use", arguments: [8, 64, 200, 496])
    func contextSlot(depth: Int) throws {
        let linked = try link(.scripted(0), filler(1, depth: depth), .scripted(2))
        var machine = ChainMachine(linked)

        _ = try machine.run()

        #expect(linked.frame == depth + 8)
        #expect(machine.steps.last?.registers[1] == ChainMachine.context)
    }

    @Test("a member sees zeros where earlier ones wrote, and never their data", arguments: [-8, -32, -64])
    func scrubbedStack(slot: Int16) throws {
        let linked = try link(filler(0, depth: 64), looker(1, slot: slot))
        var machine = ChainMachine(linked)

        _ = try machine.run()

        #expect(machine.steps[1].registers[3] == 0)
    }

    @Test("a register that a member might read before it writes it is zero, not an earlier member's")
    func scrubbedRegisters() throws {
        let linked = try link(filler(0, depth: 8), looker(1, slot: -8))
        var machine = ChainMachine(linked)

        _ = try machine.run()

        #expect(machine.steps[1].registers[4] == 0)
    }

    @Test("what no earlier member could write is not scrubbed")
    func noNeedlessScrubbing() throws {
        let linked = try link(filler(0, depth: 16), filler(1, depth: 64))
        let glue = linked.segments.filter { $0.unitStart == nil && $0.member == 1 }.flatMap { $0.range }
        let zeroed = glue.map { linked.instructions[$0] }.filter { $0.opcode.instructionClass == .st }

        #expect(zeroed.map(\.offset) == [-8, -16])
    }

    // MARK: Hops

    @Test("a hop between inlined members is at most three instructions", arguments: [2, 10, 64])
    func hop(count: Int) throws {
        let pass: [Instruction] = [.move(.r0, 2), .exit]
        let members = (0..<count).map { Member.of("m\($0)", pass) }
        let linked = try linker.link(Chain(members: members), counting: .none)
        var machine = ChainMachine(linked)

        #expect(try machine.run() == 2)

        // The members' own: a verdict each and the last one's exit. Once for all: keeping the context.
        let glue = machine.machine.executed - (count + 1) - 1
        #expect(glue <= 3 * (count - 1))
        #expect(glue == machine.executedGlue(linked))
    }

    @Test("a chain of one member without counters is the member")
    func single() throws {
        let body: [Instruction] = [.move(.r0, 2), .exit]

        let linked = try link(.of("only", body))

        #expect(linked.instructions == body)
        #expect(linked.frame == 0)
    }

    // MARK: Company

    @Test(
        "a chain is GPL only if all its members are",
        arguments: [
            (["GPL", "GPL"], "GPL"), (["GPL", "Dual MIT/GPL"], "GPL"),
            (["GPL", "Proprietary"], "Proprietary"),
            (["MIT", "GPL"], "MIT"), (["GPL v2", "GPL and additional rights"], "GPL"),
        ])
    func license(licenses: [String], expected: String) throws {
        let members = licenses.enumerated().map {
            Member.of("m\($0.offset)", [.move(.r0, 2), .exit], license: $0.element)
        }

        #expect(try linker.link(Chain(members: members), counting: .none).license == expected)
    }

    @Test("a member that no packet reaches has no say in the licence")
    func unreachableLicense() throws {
        let linked = try link(
            .scripted(0, edges: [.pass: .end]), .of("m1", [.move(.r0, 2), .exit], license: "Proprietary"))

        #expect(linked.license == "GPL")
    }

    @Test("a chain handles packets of several buffers only if all its members do")
    func frags() throws {
        var frags = Member.scripted(0)
        frags.unit.supportsFrags = true
        var other = Member.scripted(1)

        #expect(try !link(frags, other).supportsFrags)
        other.unit.supportsFrags = true
        #expect(try link(frags, other).supportsFrags)
    }

    @Test("bpf_throw leaves the whole chain: such a member runs alone or not at all")
    func throwing() throws {
        var thrower = Member.scripted(0)
        thrower.unit.mayThrow = true

        #expect(try link(thrower).instructions.count == 2)
        let error = #expect(throws: XDPError.self) { try link(.scripted(1), thrower) }
        #expect(error?.kind == .refused)
        #expect(error?.what == "m0 cannot share a program")
    }

    @Test(
        "programs for the entries of maps are no members",
        arguments: [
            "xdp/devmap", "xdp/cpumap", "xdp.frags/devmap", "xdp.frags/cpumap",
        ])
    func mapPrograms(section: String) {
        var member = Member.scripted(0)
        member.unit.section = section

        let error = #expect(throws: XDPError.self) { try link(member) }

        #expect(error?.kind == .refused)
        #expect(error?.what == "m0 cannot be a member")
    }
}
