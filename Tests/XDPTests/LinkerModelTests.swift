// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

@Suite("Linked chains against a model")
struct LinkerModelTests {
    /// Verdicts with everything that may go wrong about them.
    static func verdict(_ random: inout SeededGenerator) -> UInt64 {
        let code = UInt64([0, 1, 2, 2, 2, 3, 4, 5, 7, 8, 0xffff_ffff].randomElement(using: &random) ?? 2)
        return Bool.random(using: &random) ? code : code | random.next() << 32
    }

    @Test("random graphs lead packets as their edges say", arguments: UInt64(0)..<20)
    func paths(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for number in 0..<20 {
            let size = Int.random(in: 1...12, using: &random)
            let random0 = RandomChain(seed: seed * 1000 + UInt64(number), members: size, countedFrom: nil)
            let limits = LinkLimits(hasLongJumps: number % 2 == 0, frameRounding: 16)
            let linked = try Linker(limits: limits).link(random0.chain, counting: .none)
            for _ in 0..<10 {
                let verdicts = (0..<size).map { _ in Self.verdict(&random) }
                var machine = ChainMachine(linked) { verdicts[$0] }

                let result = try machine.run()

                let expected = random0.walk { verdicts[$0] }
                #expect(machine.path == expected.path)
                #expect(result == expected.verdict)
            }
        }
    }

    @Test(
        "counters are exact for every member and verdict",
        arguments: [CounterMode.packets, .bytes], [false, true])
    func counters(mode: CounterMode, frags: Bool) throws {
        var random = SeededGenerator(seed: frags ? 3 : 4)
        for number in 0..<12 {
            let size = Int.random(in: 1...10, using: &random)
            // Some chains have their places across the border of two pages.
            let first = number % 3 == 0 ? CounterPage.members - 3 : 0
            let model = RandomChain(seed: 77 + UInt64(number), members: size, countedFrom: first)
            var chain = model.chain
            for member in chain.members {
                try chain.update(member.name) { $0.unit.supportsFrags = frags }
            }
            let pageIDs: [UInt32] = [501, 502]
            let linked = try Linker(limits: .oldest).link(
                chain, counting: .init(mode: mode, pageIDs: pageIDs))
            var expected = [MemberCounters](repeating: MemberCounters(), count: size)
            var found = expected
            for _ in 0..<25 {
                let verdicts = (0..<size).map { _ in Self.verdict(&random) }
                let length = Int.random(in: 14...1500, using: &random)
                var machine = ChainMachine(linked, pageIDs: pageIDs, packetLength: length) { verdicts[$0] }

                let result = try machine.run()

                let walk = model.walk { verdicts[$0] }
                #expect(machine.path == walk.path)
                #expect(result == walk.verdict)
                for member in walk.path {
                    let code = Int(min(UInt32(truncatingIfNeeded: verdicts[member]), 5))
                    expected[member].values[code].packets += 1
                    if mode == .bytes { expected[member].values[code].bytes += UInt64(length) }
                }
                for member in 0..<size {
                    let slot = first + member
                    let page = machine.page(slot / CounterPage.members)
                    let run = CounterPage.counters(slot: slot % CounterPage.members, in: page)
                    for code in run.values.indices {
                        found[member].values[code] = found[member].values[code] &+ run.values[code]
                    }
                }
            }
            #expect(found == expected)
        }
    }

    @Test("code 8 is counted apart, not as aborted")
    func unknownCode() throws {
        let chain = Chain(members: [.scripted(0, slot: 0)])
        let linked = try Linker(limits: .oldest).link(chain, counting: .init(mode: .bytes, pageIDs: [5]))
        var machine = ChainMachine(linked, pageIDs: [5]) { _ in 8 }

        #expect(try machine.run() == 8)

        let counters = CounterPage.counters(slot: 0, in: machine.page(0))
        #expect(counters.unknown == Counter(packets: 1, bytes: 60))
        #expect(counters.total == Counter(packets: 1, bytes: 60))
    }

    @Test("counters do not write beyond their own 112 bytes", arguments: [0, 1, 31, 63])
    func neighbours(slot: Int) throws {
        let chain = Chain(members: [.scripted(0, slot: slot)])
        let linked = try Linker(limits: .oldest).link(chain, counting: .init(mode: .bytes, pageIDs: [5]))
        for code in 0...9 {
            var machine = ChainMachine(linked, pageIDs: [5]) { _ in UInt64(code) }
            _ = try machine.run()
            let touched = machine.page(0).indices.filter { machine.page(0)[$0] != 0 }
            #expect(touched.allSatisfy { $0 / CounterPage.memberSize == slot })
            #expect(touched.contains(slot * CounterPage.memberSize + min(code, 5) * 16))
        }
    }

    @Test("a chain without its page of counters aborts the packet instead of guessing")
    func missingPage() throws {
        let chain = Chain(members: [.scripted(0, slot: 0)])
        let linked = try Linker(limits: .oldest).link(chain, counting: .init(mode: .bytes, pageIDs: [5]))
        var machine = ChainMachine(linked, pageIDs: [6])

        #expect(try machine.run() == 0)
        #expect(machine.path.isEmpty)
    }

    @Test("sixty-four members link and run", arguments: CounterMode.allCases)
    func many(mode: CounterMode) throws {
        let members = (0..<64).map { Member.scripted($0, slot: $0) }
        let linked = try Linker(limits: .oldest).link(
            Chain(members: members), counting: .init(mode: mode, pageIDs: [5]))
        var machine = ChainMachine(linked, pageIDs: [5])

        #expect(try machine.run() == 2)

        #expect(machine.path == Array(0..<64))
        #expect(linked.compositions.allSatisfy { $0.mode == .inline })
    }
}
