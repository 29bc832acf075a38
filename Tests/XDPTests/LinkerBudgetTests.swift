// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

@Suite("Budgets that the linker predicts")
struct LinkerBudgetTests {
    private let limits = LinkLimits(hasLongJumps: true, frameRounding: 16)

    private func link(_ members: [Member], _ limits: LinkLimits? = nil) throws(XDPError) -> LinkedProgram {
        try Linker(limits: limits ?? self.limits).link(Chain(members: members), counting: .none)
    }

    private func refusal(_ members: [Member], _ limits: LinkLimits? = nil) -> XDPError? {
        #expect(throws: XDPError.self) { try link(members, limits) }
    }

    private static let pass: [Instruction] = [.move(.r0, 2), .exit]

    private func deep(_ name: String, _ depth: Int, tailCall: Bool = false) -> Member {
        var body: [Instruction] = [
            .storeImmediate(.doubleWord, 1, to: .framePointer, offset: Int16(-depth))
        ]
        if tailCall { body.append(.call(helper: 12)) }
        return .of(name, body + Self.pass)
    }

    /// A main function whose call chain has so many frames, its own included.
    private func nested(_ name: String, frames: Int, depth: Int = 0, tailCall: Bool = false) -> Member {
        var body: [Instruction] = []
        for frame in 0..<frames {
            if depth > 0 {
                body.append(.storeImmediate(.doubleWord, 1, to: .framePointer, offset: Int16(-depth)))
            }
            if tailCall, frame == frames - 1 { body.append(.call(helper: 12)) }
            body += frame < frames - 1 ? [.call(relative: 1), .exit] : Self.pass
        }
        return .of(name, body)
    }

    @Test("a deep member that fits alone but not beside the counters is refused by name")
    func ownFrame() throws {
        var members = [Member.of("a", Self.pass), deep("deep", 496), .of("c", Self.pass)]
        for place in members.indices { members[place].counterSlot = place * CounterPage.members }
        let chain = Chain(members: members)

        #expect(try link(members).frame == 504)
        let error = #expect(throws: XDPError.self) {
            try Linker(limits: limits).link(chain, counting: .init(mode: .packets, pageIDs: [1, 2, 3]))
        }

        #expect(error?.kind == .refused)
        #expect(error?.what == "deep does not fit into the chain")
    }

    @Test("called members and the frame above them keep within 512 bytes together")
    func combinedStack() throws {
        let linked = try link([deep("a", 272), nested("b", frames: 2, depth: 232), deep("c", 8)])

        // With 272 + 8 inlined, b's second frame of 240 would end at 528.
        #expect(linked.compositions.map(\.mode) == [.call, .inline, .inline])
    }

    @Test("what does not fit in any way is refused by name")
    func impossibleStack() {
        let error = refusal([.of("a", Self.pass), nested("b", frames: 2, depth: 512), .of("c", Self.pass)])

        #expect(error?.kind == .refused)
        #expect(error?.what == "b does not fit into the chain")
    }

    @Test("frames are rounded as the kernel rounds them: 32 bytes each on old ones")
    func rounding() throws {
        // 456 + 8 for the context, and 40 below: 464 + 48 in units of 16, 480 + 64 in units of 32.
        let members = [nested("a", frames: 2, depth: 40), deep("b", 456), .of("c", Self.pass)]

        #expect(try link(members).compositions[1].mode == .inline)
        let old = try link(members, .oldest)
        #expect(old.compositions[1].mode == .call)
    }

    @Test(
        "tail calls in functions are allowed below 256 bytes only",
        arguments: [
            (224, Composition.Mode.inline), (232, .inline), (240, .call), (248, .call), (256, .call),
        ])
    func tailCallStack(depth: Int, mode: Composition.Mode) throws {
        // The frame of the chain is the deep member's and 8 bytes for the context, rounded up.
        let linked = try link([deep("deep", depth), deep("tail", 8, tailCall: true), .of("c", Self.pass)])

        #expect(linked.compositions.map(\.mode) == [mode, .call, .inline])
    }

    @Test("frames between the chain and a nested tail call count as well")
    func nestedTailCallStack() throws {
        let linked = try link(
            [deep("deep", 160), nested("tail", frames: 2, depth: 96, tailCall: true), .of("c", Self.pass)])

        #expect(linked.compositions.map(\.mode) == [.call, .call, .inline])
    }

    @Test("the last word's nested tail calls count the stack that others made deep")
    func inlinedTailCallStack() throws {
        let linked = try link([deep("deep", 272), nested("tail", frames: 2, depth: 8, tailCall: true)])
        let tail = linked.compositions[1].mode

        // Either may go out of line, but not both may stay: the tail call would be below 288 bytes.
        #expect(linked.compositions[0].mode == .call || tail == .call && linked.frame < 256)
    }

    @Test("a call more than eight frames deep is refused by name; inlined, eight are fine")
    func frames() throws {
        #expect(try link([nested("a", frames: 8), .of("b", Self.pass)]).compositions[0].mode == .inline)

        let error = refusal([nested("deep", frames: 8, tailCall: true), .of("b", Self.pass)])

        #expect(error?.what == "deep does not fit into the chain")
        #expect(error?.why == "9 nested functions, 8 allowed")
    }

    @Test("bpf_loop takes 24 bytes of the chain's frame that no instruction shows")
    func loopStack() throws {
        let loop = Member.of("loop", [.call(helper: 181)] + Self.pass)

        #expect(try link([deep("deep", 480), loop]).compositions.map(\.mode) == [.inline, .inline])
        let error = refusal([deep("deep", 488), loop])

        #expect(error?.what == "deep does not fit into the chain")
    }

    private func mapUser(_ name: String, _ maps: Range<UInt32>) -> Member {
        let loads = maps.indices.flatMap {
            Instruction.loadMap(.r2, index: Int32($0) - Int32(maps.lowerBound))
        }
        return .of(name, loads + Self.pass, maps: Array(maps))
    }

    @Test("sixty-four maps are linked, and the member with the sixty-fifth is named")
    func maps() throws {
        #expect(try link([mapUser("a", 0..<40), mapUser("b", 16..<64)]).mapIDs.count == 64)

        let error = refusal([mapUser("a", 0..<40), mapUser("b", 30..<65), .of("c", Self.pass)])

        #expect(error?.kind == .refused)
        #expect(error?.what == "b does not fit into the chain")
        #expect(error?.why == "the members refer to 65 maps, and one program may refer to 64")
    }

    @Test("the counters' map is one of the sixty-four")
    func countersMap() throws {
        var member = mapUser("a", 0..<64)
        member.counterSlot = 0
        let chain = Chain(members: [member])

        let error = #expect(throws: XDPError.self) {
            try Linker(limits: limits).link(chain, counting: .init(mode: .packets, pageIDs: [900]))
        }

        #expect(error?.why == "the members refer to 65 maps, and one program may refer to 64")
    }

    /// A member with so many functions, the main one included, all called from it.
    private func functions(_ name: String, _ count: Int) -> Member {
        var body: [Instruction] = []
        for function in 1..<count {
            let distance = (count - 1 - function) + 2 + (function - 1) * 2
            body.append(.call(relative: Int32(distance)))
        }
        body += Self.pass
        for _ in 1..<count { body += Self.pass }
        return .of(name, body)
    }

    @Test("256 functions are linked, and the member with the next one is named")
    func subprograms() throws {
        #expect(try link([functions("a", 200), functions("b", 57)]).functions.count == 256)

        let error = refusal([functions("a", 200), functions("b", 58), .of("c", Self.pass)])

        #expect(error?.what == "b does not fit into the chain")
        #expect(error?.why == "the members have 257 functions, and one program may have 256")
    }

    private func long(_ name: String, _ count: Int, edges: [Verdict: Edge] = [:]) -> Member {
        .of(name, [Instruction](repeating: .move(.r0, 2), count: count - 1) + [.exit], edges: edges)
    }

    @Test("a million instructions are too many, and the member with which they are is named")
    func instructions() {
        let error = refusal([long("a", 600_000), long("b", 500_000), long("c", 10)])

        #expect(error?.what == "b does not fit into the chain")
        #expect(error?.why.contains("and one program may have 1000000") == true)
    }

    @Test("jumps over more than 32767 instructions need gotol; without it the member is named")
    func jumps() throws {
        let members = [
            long("a", 10, edges: [.drop: .member("c")]), long("b", 40_000), .of("c", Self.pass),
        ]

        let linked = try link(members)
        #expect(linked.instructions.contains { $0.opcode == .longJump })
        #expect(try ProgramLayout(linked.instructions).subprograms.count == 1)
        let error = refusal(members, .oldest)
        #expect(error?.kind == .refused)
        #expect(error?.why.contains("a jump of a is too long") == true)
        #expect(error?.remedy?.contains("Linux 6.6") == true)
    }

    @Test("long jumps lead where short ones do")
    func longJumps() throws {
        let edges: [Verdict: Edge] = [.drop: .member("m2")]
        let middle = Member.of(
            "m1",
            [Instruction](repeating: .move(.r5, 2), count: 40_000)
                + [.call(helper: ChainMachine.firstScript + 1), .exit])
        let linked = try link([.scripted(0, edges: edges), middle, .scripted(2)])

        for (verdict, path) in [(UInt64(1), [0, 2]), (2, [0, 1, 2]), (3, [0])] {
            var machine = ChainMachine(linked) { $0 == 0 ? verdict : 2 }
            _ = try machine.run()
            #expect(machine.path == path)
        }
        let origin = try #require(linked.instructions.lastIndex { $0.helperCall != nil })
        #expect(linked.origin(of: origin)?.member == 2)
        #expect(linked.origin(of: origin)?.unitInstruction == 0)
    }
}
