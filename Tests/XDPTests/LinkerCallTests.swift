// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import TestSupport
import Testing

@testable import XDP

@Suite("Members that are called instead of inlined")
struct LinkerCallTests {
    private let linker = Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 16))

    /// A member with a tail call, which the interpreter lets fall through to its verdict.
    private func tailCaller(_ number: Int, depth: Int = 0, edges: [Verdict: Edge] = [:]) -> Member {
        var body: [Instruction] = [.move(.r6, .r1)]
        if depth > 0 {
            body.append(.storeImmediate(.doubleWord, 1, to: .framePointer, offset: Int16(-depth)))
        }
        body += Instruction.loadMap(.r2, index: 0)
        body += [
            .move(.r3, 0), .call(helper: 12), .move(.r1, .r6),
            .call(helper: ChainMachine.firstScript + Int32(number)), .exit,
        ]
        return .of("m\(number)", body, edges: edges, maps: [UInt32(600 + number)])
    }

    @Test("a member with tail calls is called, and its verdict comes back")
    func called() throws {
        let linked = try linker.link(
            Chain(members: [.scripted(0), tailCaller(1), .scripted(2)]), counting: .none)
        var machine = ChainMachine(linked)

        #expect(linked.compositions.map(\.mode) == [.inline, .call, .inline])
        #expect(linked.compositions[1].reason == "it does tail calls, whose verdict has to come back")
        #expect(try machine.run() == 2)
        #expect(machine.path == [0, 1, 2])
        #expect(machine.steps.allSatisfy { $0.registers[1] == ChainMachine.context })
    }

    @Test("the last word may be inlined with its tail calls, unless something is counted after it")
    func lastWord() throws {
        var last = tailCaller(1, edges: [.pass: .end])
        last.counterSlot = 1
        let chain = Chain(members: [.scripted(0, slot: 0), last])

        let plain = try linker.link(chain, counting: .none)
        let counted = try linker.link(chain, counting: .init(mode: .packets, pageIDs: [5]))

        #expect(plain.compositions[1].mode == .inline)
        #expect(counted.compositions[1].mode == .call)
    }

    @Test("before a call r2 to r5 are zero, so that nothing of earlier members reaches the verifier")
    func scrubbedArguments() throws {
        let dirty = (2...5).map { Instruction.move(Register(rawValue: UInt8($0)), 0x66) }
        let first = Member.of("m0", dirty + [.move(.r0, 2), .exit])
        let look: [Instruction] = [.call(helper: ChainMachine.firstScript + 1), .exit]
        var second = tailCaller(1)
        second.unit.instructions = look + second.unit.instructions
        let linked = try linker.link(Chain(members: [first, second, .scripted(2)]), counting: .none)
        var machine = ChainMachine(linked)

        // What stands behind the first exit is dead, but makes it a member with tail calls.
        #expect(linked.compositions[1].mode == .call)
        _ = try machine.run()

        #expect(machine.steps[0].registers[1...5] == [ChainMachine.context, 0, 0, 0, 0])
    }

    @Test("a chain of called members keeps the context in r6 and has no frame")
    func allCalled() throws {
        let linked = try linker.link(
            Chain(members: [tailCaller(0), tailCaller(1), tailCaller(2, edges: [.drop: .next])]),
            counting: .none)
        var machine = ChainMachine(linked)

        #expect(linked.compositions.prefix(2).map(\.mode) == [.call, .call])
        _ = try machine.run()

        #expect(machine.path == [0, 1, 2])
        #expect(machine.steps.allSatisfy { $0.registers[1] == ChainMachine.context })
    }

    @Test("exits, subprograms and callbacks of members keep their distances", arguments: [false, true])
    func subprograms(isCalled: Bool) throws {
        // main: r6 = sub(ctx); r1 = r6; script; a second exit; sub: r0 = 40; exit
        var body: [Instruction] = [
            .move(.r7, .r1), .call(relative: 7), .move(.r6, .r0), .move(.r1, .r7),
            .jump(.equal, .r6, 41, 1), .exit, .move(.r5, .r6),
            .call(helper: ChainMachine.firstScript + 1), .exit,
            .move(.r0, 41), .exit,
        ]
        if isCalled {
            body.insert(contentsOf: [.jump(1), .call(helper: 12)], at: 0)
        }
        let chain = Chain(members: [.scripted(0), .of("m1", body), .scripted(2)])
        let linked = try linker.link(chain, counting: .none)
        var machine = ChainMachine(linked)

        _ = try machine.run()

        #expect(linked.compositions[1].mode == (isCalled ? .call : .inline))
        #expect(machine.path == [0, 1, 2])
        #expect(machine.steps[1].registers[5] == 41)
        #expect(linked.functions.count == (isCalled ? 3 : 2))
    }

    // MARK: Records

    @Test("every function has a record and a line at its first instruction, in order")
    func records() throws {
        var withSub = Member.of("m1", [.call(relative: 1), .exit, .move(.r0, 2), .exit])
        withSub.unit.lines = []
        withSub.unit.functions = []
        let linked = try linker.link(
            Chain(members: [.scripted(0), withSub, tailCaller(2), .scripted(3)]), counting: .none)

        let starts = linked.functions.map(\.instruction)
        let lines = linked.lines.map(\.instruction)
        #expect(starts == (try ProgramLayout(linked.instructions).subprograms.map(\.lowerBound)))
        #expect(linked.functions.map(\.name) == ["xdpctl_chain", "m1_2", "m2"])
        #expect(lines == lines.sorted() && Set(lines).count == lines.count)
        #expect(Set(starts).isSubset(of: lines))
    }

    @Test("no line points into the second half of a wide load, whatever a unit says")
    func secondHalves() throws {
        let body = Instruction.loadMap(.r2, index: 0) + [.move(.r0, 2), .exit]
        var member = Member.of("m0", body, maps: [3])
        member.unit.lines = (0..<6).map {
            .init(instruction: $0, file: "a.c", text: "line \($0)", position: UInt32($0) << 10)
        }
        let linked = try linker.link(Chain(members: [member, .scripted(1)]), counting: .none)
        let wide = linked.instructions.indices.filter { linked.instructions[$0].isWide }

        #expect(wide.count == 1)
        #expect(linked.lines.contains { $0.instruction == wide[0] })
        #expect(!linked.lines.contains { $0.instruction == wide[0] + 1 })
        #expect(linked.lines.allSatisfy { $0.instruction < linked.instructions.count })
    }

    @Test("every instruction of a member is traced back to itself")
    func origins() throws {
        let members = [tailCaller(0), Member.of("m1", [.move(.r0, 1), .jump(0), .exit]), .scripted(2)]
        let linked = try linker.link(Chain(members: members), counting: .none)
        var found: [Int: Set<Int>] = [:]

        for index in linked.instructions.indices {
            guard let origin = linked.origin(of: index), let place = origin.unitInstruction else { continue }
            found[origin.member, default: []].insert(place)
            let original = members[origin.member].unit.instructions[place]
            if !original.isExit, !original.isWide {
                #expect(linked.instructions[index] == original)
            }
        }

        // The exit at the end of an inlined body is left out.
        #expect(found == [0: Set(0..<8), 1: [0, 1], 2: [0, 1]])
    }

    // MARK: Maps and modules

    @Test("maps that members share are named once, by id")
    func sharedMaps() throws {
        let body = { (map: Int32) in
            Instruction.loadMap(.r2, index: map) + Instruction.loadMapValue(.r3, index: 0, offset: 4)
                + [Instruction.move(.r0, 2), .exit]
        }
        let linked = try linker.link(
            Chain(members: [.of("a", body(1), maps: [10, 20]), .of("b", body(0), maps: [20])]),
            counting: .none)

        #expect(linked.mapIDs == [20, 10])
        let places = linked.instructions.filter { $0.wideKind != nil }.map(\.immediate)
        #expect(places == [0, 1, 0, 0])
    }

    @Test("modules of kernel functions are numbered for the whole chain")
    func modules() throws {
        let one = PreparedProgram.KernelModule(btfID: 11, name: "one")
        let two = PreparedProgram.KernelModule(btfID: 22, name: "two")
        let body: [Instruction] = [
            .call(kernelFunction: 5, module: 1), .call(kernelFunction: 6), .move(.r0, 2), .exit,
        ]
        var first = Member.of("a", body)
        first.unit.modules = [two]
        var second = Member.of("b", [.call(kernelFunction: 5, module: 2)] + body)
        second.unit.modules = [two, one]
        let linked = try linker.link(Chain(members: [first, second]), counting: .none)

        #expect(linked.modules == [two, one])
        #expect(linked.instructions.filter(\.isKernelFunctionCall).map(\.offset) == [1, 0, 2, 1, 0])
    }

    @Test(
        "units that refer to what they do not have are refused",
        arguments: [
            Instruction.loadMap(.r2, index: 7) + [.exit], Instruction.loadMap(.r2, descriptor: 7) + [.exit],
            [.call(kernelFunction: 5, module: 3), .exit], [.jump(7), .exit], [.call(relative: 99), .exit], [],
        ])
    func damaged(body: [Instruction]) {
        let error = #expect(throws: XDPError.self) {
            try linker.link(Chain(members: [.scripted(0), .of("bad", body)]), counting: .none)
        }

        #expect(error?.what == "bad cannot be linked")
    }
}
