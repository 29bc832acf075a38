// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// What the linker proposes when one program cannot hold a chain.
@Suite("Ladder: ways out")
struct LadderWayTests {
    private let linker = Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 16))
    private static let pass: [Instruction] = [.move(.r0, 2), .exit]

    /// Follows the linker's ways until a chain links, as the builder does.
    private func climb(
        _ start: Chain, counting: Linker.Counting = .none
    ) throws(LinkFailure) -> (chain: Chain, programs: [LinkedProgram], starts: Set<Int>) {
        var chain = start
        var starts: Set<Int> = []
        while true {
            let failure: LinkFailure
            do throws(LinkFailure) {
                let programs = try linker.link(
                    chain, counting: counting, segmentation: .init(array: 900, starts: starts))
                return (chain, programs, starts)
            } catch {
                failure = error
            }
            switch failure.way {
            case .isolate(let place, let reason)? where chain.members[place].separate == nil:
                try? chain.update(chain.members[place].name) {
                    $0.separate = SeparateProgram(
                        programID: 1, arrayID: UInt32(2000 + place), supportsFrags: false, reason: reason)
                }
            case .cut(let place)? where !starts.contains(place): starts.insert(place)
            default: throw failure
            }
        }
    }

    private func mapUser(_ number: Int, _ maps: Range<UInt32>) -> Member {
        let loads = maps.indices.flatMap {
            Instruction.loadMap(.r2, index: Int32($0) - Int32(maps.lowerBound))
        }
        return .of("m\(number)", loads + Self.pass, maps: Array(maps), slot: number)
    }

    @Test("sixty-four members with a map each, and counters, are two programs")
    func maps() throws {
        let members = (0..<64).map { mapUser($0, UInt32(100 + $0)..<UInt32(101 + $0)) }
        let counting = Linker.Counting(mode: .bytes, pageIDs: [501])

        let found = try climb(Chain(members: members), counting: counting)

        #expect(found.programs.count == 2)
        #expect(found.programs.allSatisfy { $0.mapIDs.count <= 64 })
        #expect(found.chain.members.allSatisfy { $0.separate == nil })
        #expect(try climb(Chain(members: Array(members.prefix(63))), counting: counting).programs.count == 1)
    }

    @Test("many maps are as few programs as they can be", arguments: [2, 3, 5, 8])
    func manyMaps(count: Int) throws {
        // Each has 30: two with the counters and the way on.
        let members = (0..<count).map { mapUser($0, UInt32(1000 + 30 * $0)..<UInt32(1030 + 30 * $0)) }
        let found = try climb(
            Chain(members: members), counting: .init(mode: .packets, pageIDs: [501]))

        #expect(found.programs.count == (count + 1) / 2)
    }

    @Test("a member that fills a program's maps alone gets one of its own")
    func ownMaps() throws {
        let found = try climb(
            Chain(members: [mapUser(0, 100..<164), .scripted(1, slot: 1)]),
            counting: .init(mode: .packets, pageIDs: [501]))

        #expect(found.chain.members[0].separate?.reason.contains("65 maps") == true)
        #expect(found.programs.count == 1)
        #expect(found.programs[0].compositions.map(\.mode) == [.isolated, .inline])
    }

    /// A member with so many functions, the main one included.
    private func functions(_ number: Int, _ count: Int) -> Member {
        var body: [Instruction] = []
        for function in 1..<count {
            body.append(.call(relative: Int32(count - 1 - function + 2 + (function - 1) * 2)))
        }
        for _ in 0..<count { body += Self.pass }
        return .of("m\(number)", body, slot: number)
    }

    @Test("more than 256 functions are several programs, cut where they become too many")
    func subprograms() throws {
        let found = try climb(Chain(members: [functions(0, 200), functions(1, 56), functions(2, 10)]))

        #expect(found.starts == [2])
        #expect(found.programs.map(\.functions.count) == [255, 10])
    }

    @Test("more than a million instructions are several programs")
    func instructions() throws {
        let long = { (number: Int, count: Int) in
            Member.of(
                "m\(number)", [Instruction](repeating: .move(.r0, 2), count: count - 1) + [.exit],
                slot: number)
        }
        let found = try climb(Chain(members: [long(0, 600_000), long(1, 500_000), long(2, 10)]))

        #expect(found.starts == [1])
    }

    @Test("who does not fit on the stack leaves it, with the reason")
    func stack() throws {
        let deep = Member.of(
            "deep", [.storeImmediate(.doubleWord, 1, to: .framePointer, offset: -504)] + Self.pass, slot: 0)
        let found = try climb(
            Chain(members: [deep, .scripted(1, slot: 1)]), counting: .init(mode: .bytes, pageIDs: [501]))

        #expect(found.programs[0].compositions.map(\.mode) == [.isolated, .inline])
        #expect(found.programs[0].compositions[0].reason.contains("504 bytes of stack"))
    }

    @Test("who throws leaves company, and counters")
    func thrower() throws {
        var thrower = Member.of("thrower", Self.pass, slot: 0)
        thrower.unit.mayThrow = true
        let counting = Linker.Counting(mode: .packets, pageIDs: [501])

        let alone = try climb(Chain(members: [thrower]))
        let counted = try climb(Chain(members: [thrower]), counting: counting)
        let beside = try climb(Chain(members: [thrower, .scripted(1)]))

        #expect(alone.programs[0].compositions.map(\.mode) == [.inline])
        #expect(counted.programs[0].compositions.map(\.mode) == [.isolated])
        #expect(beside.programs[0].compositions.map(\.mode) == [.isolated, .inline])
    }

    // MARK: Where a chain was cut before

    /// A manifest of a chain of six, cut before the fourth.
    private func cutManifest() throws -> Manifest {
        var members = (0..<6).map { Member.scripted($0) }
        for place in 3..<6 { members[place].composition.segment = 1 }
        var manifest = Manifest(chain: Chain(members: members), mode: .native)
        manifest.segmentArray = 900
        return manifest
    }

    private func hints(_ edit: (inout Chain) throws -> Void) throws -> Set<Int> {
        let base = try cutManifest()
        var chain = base.chain
        try edit(&chain)
        return ChainBuilder.starts(try ChainGraph(chain), chain, base: base)
    }

    @Test("a chain is cut again where it was cut before, unless it lost members")
    func hints() throws {
        #expect(try hints { _ in } == [3])
        #expect(try hints { try $0.insert(.scripted(7), at: .last) } == [3])
        #expect(try hints { try $0.insert(.scripted(7), at: .first) } == [4])
        #expect(try hints { try $0.insert(.scripted(7), at: .before("m3")) } == [4])
        #expect(try hints { try $0.move("m3", to: .last) } == [3])
        #expect(try hints { try $0.move("m0", to: .last) } == [2])
        #expect(try hints { try $0.remove("m5") } == [])
        // What led the second part leads all: there is no part before it.
        #expect(try hints { try $0.move("m3", to: .first) } == [])
    }

    @Test("whatever the hints are, the chain links as its edges say", arguments: UInt64(0)..<40)
    func anyHints(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let model = RandomChain(seed: seed, members: 8, countedFrom: nil)
        var base = Manifest(chain: model.chain, mode: .native)
        base.segmentArray = 900
        for member in base.chain.members {
            try base.chain.update(member.name) {
                $0.composition.segment = Int.random(in: 0..<4, using: &random)
            }
        }
        let starts = ChainBuilder.starts(try ChainGraph(model.chain), model.chain, base: base)
        let programs = try linker.link(
            model.chain, counting: .none, segmentation: .init(array: 900, starts: starts))
        for _ in 0..<20 {
            let verdicts = (0..<8).map { _ in LinkerModelTests.verdict(&random) }
            var machine = ChainMachine(programs, segmentArray: 900, separate: []) { verdicts[$0] }
            #expect(try machine.run() == model.walk { verdicts[$0] }.verdict)
            #expect(machine.path == model.walk { verdicts[$0] }.path)
        }
    }
}
