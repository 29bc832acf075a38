// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

@Suite("Linked chains with taps, against a model")
struct LinkerTapTests {
    private static let array: UInt32 = 900
    private static let guards: [UInt32: UInt32] = [601: 0x8000_1234, 602: 77, 603: 0x4000_0000]

    /// Three taps: the owner of the last one is gone.
    private static func taps(
        of names: [String], using random: inout SeededGenerator
    ) -> [Tap] {
        (0..<3).map { number in
            var selection = TapSelection(
                start: Bool.random(using: &random), end: Bool.random(using: &random),
                allEntries: Bool.random(using: &random), allExits: Bool.random(using: &random))
            selection.entries = names.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
            selection.exits = names.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
            return Tap.scripted(
                number, guardID: UInt32(601 + number), selection: selection, tellsBuffers: true)
        }
    }

    /// What the taps that somebody reads have to see on a way.
    private static func sights(
        _ chain: Chain, _ path: [Int], _ verdicts: [UInt64], segments: [Int]
    ) -> [ChainMachine.Sight] {
        var seen: [ChainMachine.Sight] = []
        var counts: [Int: UInt64] = [:]
        func meet(_ point: TapPoint, _ verdict: UInt64?) {
            for (place, tap) in chain.taps.enumerated() where place < 2 && tap.selection.includes(point) {
                seen.append(
                    ChainMachine.Sight(
                        tap: place, point: tap.points.firstIndex(of: point) ?? -1,
                        verdict: verdict.map { $0 & 0xffff_ffff } ?? UInt64(Tap.noVerdict),
                        found: counts[place, default: 0]))
                counts[place, default: 0] += 1
            }
        }
        meet(TapPoint(.start), nil)
        for (step, member) in path.enumerated() {
            let name = chain.members[member].name
            if step > 0, segments[member] != segments[path[step - 1]] { counts = [:] }
            meet(TapPoint(.entry, member: name), nil)
            meet(TapPoint(.exit, member: name), verdicts[member])
            if step == path.count - 1 { meet(TapPoint(.end, member: name), verdicts[member]) }
        }
        return seen
    }

    @Test(
        "taps see each packet where it goes and nothing else changes, inline, called, isolated and cut",
        arguments: UInt64(0)..<30, CounterMode.allCases)
    func model(seed: UInt64, mode: CounterMode) throws {
        var random = SeededGenerator(seed: seed * 3 + UInt64(CounterMode.allCases.firstIndex(of: mode) ?? 0))
        let pageIDs: [UInt32] = [501, 502]
        for number in 0..<12 {
            let size = Int.random(in: 1...9, using: &random)
            let first = number % 3 == 0 ? CounterPage.members - 3 : 0
            let model = RandomChain(seed: random.next(), members: size, countedFrom: first)
            var chain = model.chain
            if number % 2 == 0 {
                for (place, member) in chain.members.enumerated()
                where Int.random(in: 0..<3, using: &random) == 0 {
                    try chain.update(member.name) { $0.isolate(UInt32(2000 + place)) }
                }
            }
            chain.taps = Self.taps(of: chain.members.map(\.name), using: &random)
            try chain.settleTaps()
            let starts =
                number % 4 < 2
                ? [] : Set((1..<max(size, 2)).filter { _ in Bool.random(using: &random) })
            var linker = Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 16))
            linker.calledMembers = Set(
                chain.members.map(\.name).filter { _ in
                    number % 3 == 1 || Int.random(in: 0..<4, using: &random) == 0
                })
            let counting = Linker.Counting(mode: mode, pageIDs: pageIDs)
            let programs = try linker.link(
                chain, counting: counting,
                segmentation: starts.isEmpty ? .none : .init(array: Self.array, starts: starts))
            for _ in 0..<8 {
                let verdicts = (0..<size).map { _ in LinkerModelTests.verdict(&random) }
                var machine = ChainMachine(
                    programs, segmentArray: starts.isEmpty ? 0 : Self.array,
                    separate: chain.members.filter { $0.separate != nil }, pageIDs: pageIDs,
                    guards: Self.guards
                ) { verdicts[$0] }

                let result = try machine.run()

                let walk = model.walk { verdicts[$0] }
                #expect(machine.path == walk.path)
                #expect(result == walk.verdict)
                #expect(machine.steps.allSatisfy { $0.registers[1] == ChainMachine.context })
                #expect(machine.tapContexts.isSubset(of: [ChainMachine.context]))
                #expect(machine.tapBuffers.isSubset(of: [1]))
                #expect(
                    machine.sights
                        == Self.sights(
                            chain, walk.path, verdicts, segments: programs[0].compositions.map(\.segment)))
                for member in 0..<size {
                    var expected = MemberCounters()
                    if mode != .off, walk.path.contains(member) {
                        let code = Int(min(UInt32(truncatingIfNeeded: verdicts[member]), 5))
                        expected.values[code].packets = 1
                        if mode == .bytes { expected.values[code].bytes = 60 }
                    }
                    #expect(machine.counters(slot: first + member) == expected)
                }
            }
        }
    }

    @Test("a tap that sees nothing costs not one instruction, and neither does one in another segment")
    func costsNothing() throws {
        for seed in UInt64(0)..<20 {
            var chain = RandomChain(seed: seed, members: 8, countedFrom: 0).chain
            let counting = Linker.Counting(mode: .bytes, pageIDs: [501])
            let segmentation = Linker.Segmentation(array: Self.array, starts: [3])
            let linker = Linker(limits: .oldest)
            let before = try linker.link(chain, counting: counting)
            let cut = try linker.link(chain, counting: counting, segmentation: segmentation)
            chain.taps = [
                .scripted(0, guardID: 601, selection: TapSelection()),
                .scripted(1, guardID: 602, selection: TapSelection(entries: ["gone"], exits: ["gone"])),
            ]
            try chain.settleTaps()

            let after = try linker.link(chain, counting: counting)

            #expect(after.instructions == before.instructions)
            #expect(after.mapIDs == before.mapIDs && after.frame == before.frame)
            chain.taps = [.scripted(0, guardID: 601, selection: TapSelection(start: true))]
            try chain.settleTaps()
            let started = try linker.link(chain, counting: counting, segmentation: segmentation)
            #expect(started[0].instructions != cut[0].instructions)
            #expect(started.dropFirst().map(\.instructions) == cut.dropFirst().map(\.instructions))
        }
    }

    @Test("taps are told whether packets may lie in several buffers, called and in place")
    func buffers() throws {
        for supportsFrags in [true, false] {
            var members: [Member] = [.scripted(0), .scripted(1)]
            members[0].unit.supportsFrags = true
            members[1].unit.supportsFrags = supportsFrags
            for chain in [Chain(members: members), Chain()] {
                for selection in [TapSelection(end: true), TapSelection(start: true, allExits: true)] {
                    var chain = chain
                    chain.taps = [.scripted(0, guardID: 601, selection: selection, tellsBuffers: true)]
                    try chain.settleTaps()
                    var linker = Linker(limits: .oldest)
                    linker.emptyChainsSupportFrags = supportsFrags
                    let linked = try linker.link(chain, counting: .none)
                    var machine = ChainMachine(linked, guards: Self.guards)

                    #expect(try machine.run() == 2)

                    #expect(linked.supportsFrags == supportsFrags)
                    #expect(machine.tapBuffers == [supportsFrags ? 0 : 1])
                }
            }
        }
    }

    @Test("a chain without members passes packets, past its taps")
    func empty() throws {
        var chain = Chain()
        chain.taps = [
            .scripted(0, guardID: 601, selection: TapSelection(start: true, end: true, allExits: true))
        ]
        try chain.settleTaps()
        let linked = try Linker(limits: .oldest).link(chain, counting: .none)
        var machine = ChainMachine(linked, guards: Self.guards)

        #expect(try machine.run() == 2)

        #expect(chain.taps[0].points == [TapPoint(.start), TapPoint(.end)])
        #expect(
            machine.sights == [
                .init(tap: 0, point: 0, verdict: UInt64(Tap.noVerdict), found: 0),
                .init(tap: 0, point: 1, verdict: 2, found: 1),
            ])
        #expect(!linked.supportsFrags)
        #expect(throws: XDPError.self) { try Linker(limits: .oldest).link(Chain(), counting: .none) }
    }

    @Test(
        "a packet that a segment could not take ends with the fallback verdict, seen as the end of who missed it"
    )
    func missed() throws {
        var chain = Chain(members: [.scripted(0, slot: 0), .scripted(1, slot: 1)], fallback: .tx)
        chain.taps = [
            .scripted(0, guardID: 601, selection: TapSelection(start: true, end: true, allExits: true))
        ]
        try chain.settleTaps()
        let linked = try Linker(limits: .oldest).link(
            chain, counting: .init(mode: .packets, pageIDs: [501]),
            segmentation: .init(array: Self.array, starts: [1]))[0]
        var machine = ChainMachine(linked, pageIDs: [501], guards: Self.guards)

        #expect(try machine.run() == 3)

        let points = machine.sights.map { chain.taps[0].points[$0.point].description + " \($0.verdict)" }
        #expect(points == ["start \(Tap.noVerdict)", "m0:exit 2", "end 3"])
        #expect(chain.taps[0].points[machine.sights[2].point].member == "m1")
        #expect(machine.tapContexts == [ChainMachine.context])
        #expect(machine.counters(slot: 1).missed.packets == 1)
    }

    @Test("a member's failed call is seen with the fallback verdict at its exit")
    func failedCall() throws {
        var member = Member.scripted(0, slot: 0)
        member.isolate(2000)
        var chain = Chain(members: [member], fallback: .drop)
        chain.taps = [.scripted(0, guardID: 601, selection: TapSelection(end: true, allExits: true))]
        try chain.settleTaps()
        let linked = try Linker(limits: .oldest).link(chain, counting: .none)
        var machine = ChainMachine(linked, guards: Self.guards)

        #expect(try machine.run() == 1)
        #expect(machine.sights.map(\.verdict) == [1, 1])
    }

    @Test("members that do tail calls are called where a tap waits for their verdict, and only there")
    func tailCalls() throws {
        let member = Member.of(
            "tail",
            Instruction.loadMap(.r2, index: 0) + [.move(.r3, 0), .call(helper: 12), .move(.r0, 2), .exit],
            maps: [41])
        for (selection, mode) in [
            (TapSelection(start: true, allEntries: true), Composition.Mode.inline),
            (TapSelection(end: true), .call), (TapSelection(exits: ["tail"]), .call),
        ] {
            var chain = Chain(members: [member])
            chain.taps = [.scripted(0, guardID: 601, selection: selection)]
            try chain.settleTaps()
            #expect(try Linker(limits: .oldest).link(chain, counting: .none).compositions[0].mode == mode)
        }
    }

    @Test("the stack of a tap counts: the deepest members are moved into functions, and what is left fits")
    func stack() throws {
        func deep(_ name: String, _ bytes: Int16) -> Member {
            .of(name, [.storeImmediate(.doubleWord, 0, to: .r10, offset: -bytes), .move(.r0, 2), .exit])
        }
        var chain = Chain(members: [deep("a", 400), deep("b", 64)])
        #expect(
            try Linker(limits: .oldest).link(chain, counting: .none).compositions.map(\.mode) == [
                .inline, .inline,
            ])
        let chainAlone = chain
        chain.taps = [
            .scripted(0, guardID: 601, selection: TapSelection(start: true, end: true), stack: 192)
        ]
        try chain.settleTaps()

        let linked = try Linker(limits: .oldest).link(chain, counting: .none)

        #expect(linked.compositions.map(\.mode) == [.call, .inline])
        #expect(linked.compositions[0].reason.contains("beside it tap0 would not fit"))
        #expect(linked.frame == 64 + 8 + 8)

        // Where nothing follows it uses the members' part.
        chain = chainAlone
        chain.taps = [.scripted(0, guardID: 601, selection: TapSelection(end: true), stack: 192)]
        try chain.settleTaps()
        let atEnd = try Linker(limits: .oldest).link(chain, counting: .none)
        #expect(atEnd.compositions.map(\.mode) == [.inline, .inline])
        #expect(atEnd.frame == 400 + 8 + 8 + 8)
        #expect(atEnd.functions.map(\.name) == ["xdpctl_chain"])
    }

    @Test("the tap is there once, and at each end, with a name for the verifier's complaints")
    func once() throws {
        var chain = Chain(members: [.scripted(0), .scripted(1)])
        var tap = Tap.scripted(
            0, guardID: 601,
            selection: TapSelection(start: true, end: true, allEntries: true, allExits: true))
        tap.unit.license = "Proprietary"
        tap.unit.supportsFrags = true
        chain.taps = [tap]
        try chain.settleTaps()

        let linked = try Linker(limits: .oldest).link(chain, counting: .none)

        #expect(linked.taps.map(\.name) == ["tap0", "tap0", "tap0"])
        let size = tap.unit.instructions.count
        #expect(linked.taps.map(\.range.count) == [size - 1, size - 1, size])
        #expect(linked.functions.map(\.name) == ["xdpctl_chain", "tap_main"])
        // Its licence does not count.
        #expect(linked.license == "GPL" && !linked.supportsFrags)
        let texts = linked.lines.map(\.text)
        #expect(texts.contains("tap tap0 at start") && texts.contains("tap tap0 at m1:exit"))
        #expect(texts.contains("tap tap0 at end") && texts.contains("tap tap0"))
    }
}
