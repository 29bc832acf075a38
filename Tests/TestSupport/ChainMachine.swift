// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

extension Member {
    /// A member made of instructions, for tests of the linker.
    public static func of(
        _ name: String, _ instructions: [Instruction], edges: [Verdict: Edge] = [:], maps: [UInt32] = [],
        slot: Int = -1, license: String = "GPL"
    ) -> Member {
        let definitions = maps.indices.map { place in
            UnitMap(
                name: "map\(place)",
                definition: MapDefinition(
                    name: "map\(place)", type: .array, keySize: 4, valueSize: 8, maximumEntries: 1))
        }
        let unit = Unit(
            program: name, license: license, instructions: instructions, maps: definitions,
            functions: [.init(instruction: 0, name: name)],
            lines: [
                .init(instruction: 0, file: "\(name).c", text: "first line of \(name)", position: 1 << 10)
            ])
        var member = Member(
            name: name, origin: "/objects/\(name).o", digest: [UInt8](repeating: 7, count: 32), unit: unit,
            mapIDs: maps)
        member.edges = edges
        member.counterSlot = slot
        return member
    }

    /// A member that asks the test for its verdict, and tells it so its registers: `r0 = script(number)`.
    public static func scripted(_ number: Int, edges: [Verdict: Edge] = [:], slot: Int = -1) -> Member {
        of(
            "m\(number)", [.call(helper: ChainMachine.firstScript + Int32(number)), .exit], edges: edges,
            slot: slot)
    }
}

/// Runs a linked chain in the interpreter on a packet: context, packet, pages of counters and program arrays are
/// there, and what members do is recorded.
public struct ChainMachine {
    /// The helper number of the script of member 0.
    public static let firstScript: Int32 = 100_000
    /// The helper number of tap 0.
    public static let firstTap: Int32 = 200_000
    /// Where the context is.
    public static let context: UInt64 = 0x1_0000
    private static let packet: UInt64 = 0x2_0000
    private static let pages: UInt64 = 0x4000_0000

    /// What a member looked like when it asked for its verdict.
    public struct Step: Hashable {
        public let member: Int
        /// r0 to r10.
        public let registers: [UInt64]
    }

    /// What a tap was called with.
    public struct Sight: Hashable, CustomStringConvertible {
        public var tap: Int
        public var point: Int
        public var verdict: UInt64
        /// What it found in the packet's own bytes.
        public var found: UInt64

        public init(tap: Int, point: Int, verdict: UInt64, found: UInt64) {
            (self.tap, self.point, self.verdict, self.found) = (tap, point, verdict, found)
        }

        public var description: String { "tap \(tap) at \(point), verdict \(verdict), found \(found)" }
    }

    /// Written by the script helper.
    private final class Record {
        var steps: [Step] = []
        var sights: [Sight] = []
        var contexts: Set<UInt64> = []
        var buffers: Set<UInt64> = []
    }

    public private(set) var machine: Interpreter
    private let record = Record()
    private let pageCount: Int

    /// The members that ran, in order.
    public var steps: [Step] { record.steps }
    /// The numbers of the members that ran, in order.
    public var path: [Int] { record.steps.map(\.member) }

    /// What taps saw, in order.
    public var sights: [Sight] { record.sights }
    /// The addresses that taps were given as the context.
    public var tapContexts: Set<UInt64> { record.contexts }
    /// What taps were told of packets, if they tell: 1 if each lies in one buffer.
    public var tapBuffers: Set<UInt64> { record.buffers }

    /// The tail calls of the last run.
    public var tailCalls: Int { machine.tailCalls }

    /// - Parameters:
    ///   - pageIDs: the kernel ids that the counters were linked with.
    ///   - guards: the word in the guard of each tap, by the map's kernel id.
    ///   - script: what a scripted member returns.
    public init(
        _ linked: LinkedProgram, pageIDs: [UInt32] = [], guards: [UInt32: UInt32] = [:],
        packetLength: Int = 60, script: @escaping (Int) -> UInt64 = { _ in 2 }
    ) {
        self.init(
            [linked], segmentArray: 0, separate: [], pageIDs: pageIDs, guards: guards,
            packetLength: packetLength, script: script)
    }

    /// - Parameters:
    ///   - programs: the chain's programs, the attached one first.
    ///   - segmentArray: the kernel id of the array that the others stand in.
    ///   - separate: members with programs of their own, which stand in their arrays.
    public init(
        _ programs: [LinkedProgram], segmentArray: UInt32, separate: [Member], pageIDs: [UInt32] = [],
        guards: [UInt32: UInt32] = [:], packetLength: Int = 60,
        script: @escaping (Int) -> UInt64 = { _ in 2 }
    ) {
        let record = record
        let linked = programs[0]
        pageCount = pageIDs.count
        machine = Interpreter(
            linked.instructions,
            helper: { id, registers in
                switch id {
                case 1:
                    // The key of a page is 0; the map is the address that the load gave.
                    return pageIDs.contains { Self.address($0) == registers[1] } ? registers[1] : 0
                case 188: return UInt64(packetLength)
                case Self.firstTap...:
                    record.contexts.insert(registers[1])
                    record.buffers.insert(registers[8])
                    record.sights.append(
                        Sight(
                            tap: Int(id - Self.firstTap), point: Int(registers[2]), verdict: registers[3],
                            found: registers[5]))
                    return Interpreter.poison
                case Self.firstScript...:
                    let member = Int(id - Self.firstScript)
                    record.steps.append(Step(member: member, registers: registers))
                    return script(member)
                default: return 0
                }
            })
        machine.address = Self.addresses(linked.mapIDs)
        var arrays: [UInt64: [Interpreter.Callee]] = [:]
        if segmentArray != 0 {
            arrays[Self.address(segmentArray)] = programs.dropFirst().map { part in
                Interpreter.Callee(part.instructions, address: Self.addresses(part.mapIDs))
            }
        }
        for member in separate {
            guard let array = member.separate?.arrayID else { continue }
            arrays[Self.address(array)] = [
                Interpreter.Callee(member.unit.instructions, address: Self.addresses(member.mapIDs))
            ]
        }
        if !arrays.isEmpty {
            machine.tailCall = { array, place in
                guard let programs = arrays[array], place < UInt64(programs.count) else { return nil }
                return programs[Int(place)]
            }
        }
        var context = [UInt8](repeating: 0, count: 24)
        for (offset, value) in [(0, Self.packet), (4, Self.packet + UInt64(packetLength))] {
            for byte in 0..<4 { context[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
        }
        machine.memory.regions = [
            .init(address: Self.context, bytes: context),
            .init(address: Self.packet, bytes: [UInt8](repeating: 0, count: packetLength)),
        ]
        for page in pageIDs {
            machine.memory.regions.append(
                .init(
                    address: Self.address(page),
                    bytes: [UInt8](repeating: 0, count: CounterPage.members * CounterPage.memberSize)))
        }
        for (id, word) in guards {
            let bytes = (0..<16).map { $0 < 4 ? UInt8(truncatingIfNeeded: word >> (8 * $0)) : 0xff }
            machine.memory.regions.append(.init(address: Self.address(id), bytes: bytes))
        }
    }

    /// Where a map is.
    private static func address(_ id: UInt32) -> UInt64 { pages + UInt64(id) << 20 }

    private static func addresses(_ mapIDs: [UInt32]) -> (WideKind, Int32, Int32) -> UInt64 {
        { kind, first, _ in
            (kind == .mapIndex || kind == .mapIndexValue) && mapIDs.indices.contains(Int(first))
                ? address(mapIDs[Int(first)]) : 0
        }
    }

    /// Gives the 64 bits of r0 at the end.
    public mutating func run() throws -> UInt64 {
        record.steps = []
        record.sights = []
        record.contexts = []
        record.buffers = []
        return try machine.run(r1: Self.context)
    }

    /// What a page of counters holds.
    public func page(_ number: Int) -> [UInt8] { machine.memory.regions[2 + number].bytes }

    /// How many instructions of the last run were not the members' own.
    public func executedGlue(_ linked: LinkedProgram) -> Int {
        linked.segments.filter { $0.unitStart == nil }.flatMap { $0.range }
            .reduce(0) { $0 + machine.executions[$1] }
    }
}
