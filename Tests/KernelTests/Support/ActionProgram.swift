// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Filter
import TestSupport

/// The code of limits and reports in a program of its own, without the rest of a filter.
///
/// What the rest of a filter would have left on the stack stands in the packet (``Input``), and which rule acts.
final class ActionProgram {
    /// The first 64 bytes of a packet.
    struct Input {
        var source: [UInt8] = []
        var destination: [UInt8] = []
        var version: UInt64 = 0
        var length: UInt64 = 64
        /// Used only with a clock that tests set.
        var nanoseconds: UInt64 = 0
        var rule = 0

        var bytes: [UInt8] {
            func filled(_ address: [UInt8]) -> [UInt8] {
                address + [UInt8](repeating: 0, count: 16 - address.count)
            }
            let numbers = [version, length, nanoseconds, UInt64(rule)]
            return filled(source) + filled(destination)
                + numbers.flatMap { withUnsafeBytes(of: $0) { Array($0) } }
        }
    }

    enum Clock {
        case real
        /// ``Input/nanoseconds``.
        case packet
    }

    private static let rules = 16
    static let within: UInt32 = 2
    static let exceeded: UInt32 = 1

    let program: Program
    let buckets: MapHandle
    let log: MapHandle
    let state: MapHandle
    private let records: MapHandle

    /// - Parameters:
    ///   - actions: limits and reports, by the number that the packet names; the record has that plus one.
    ///   - hasCompareExchange: nil: as the kernel has it.
    ///   - hasFrags: nil: as the kernel has it.
    init(
        _ actions: [Action], clock: Clock = .real, hasCompareExchange: Bool? = nil,
        hasFrags: Bool? = nil,
        ringSize: UInt32 = 4096 * 4
    ) throws {
        var policy = RuleSet(policy: .pass)
        policy.rules = actions.map { Rule($0) }
        buckets = try MapHandle(ActionMaps.buckets(for: policy))
        var ring = ActionMaps.log
        ring.maximumEntries = ringSize
        log = try MapHandle(ring)
        state = try MapHandle(
            MapDefinition(
                name: "state", type: .array, keySize: 4, valueSize: UInt32(FilterState.size),
                maximumEntries: 1))
        let readOnlyForPrograms: UInt32 = 1 << 7
        records = try MapHandle(
            MapDefinition(
                name: "records", type: .array, keySize: 4,
                valueSize: UInt32(Self.rules * RuleRecord.size), maximumEntries: 1, flags: readOnlyForPrograms
            ))
        try records.map.update([0, 0, 0, 0], to: Self.table(actions))
        try records.map.freeze()
        var abilities = CompilerInput.KernelAbilities()
        abilities.hasCompareExchange = try hasCompareExchange ?? KernelNeed.compareExchange.isMet()
        abilities.hasFrags = try hasFrags ?? (KernelNeed.missing(for: "frags") == nil)
        let snapLength = actions.compactMap { if case .log(let log) = $0 { log.snapLength } else { nil } }
            .max()
        let code = try Self.code(abilities, snapLength: snapLength, clock)
        let maps = [buckets, log, state, records].map { $0.map.descriptor.rawValue }
        let image = ProgramImage(
            name: "action", instructions: Self.placing(maps, in: code), license: "Dual BSD/GPL")
        program = try Program.load(image).take()
    }

    /// Runs the program; whether the packet was within the limit.
    func admits(_ input: Input) throws -> Bool {
        try run(input.bytes) == Self.within
    }

    func run(_ packet: [UInt8], repeats: UInt32 = 1) throws -> UInt32 {
        try program.testRun(packet, repeats: repeats).verdict
    }

    func lostReports() throws -> UInt64 {
        let page = try state.map.lookup([0, 0, 0, 0], valueSize: FilterState.size) ?? []
        return ByteReader(page).integer(at: FilterState.lostReports) ?? 0
    }

    // MARK: - Making it

    private static func table(_ actions: [Action]) -> [UInt8] {
        var table: [UInt8] = []
        for (place, action) in actions.enumerated() {
            var record = [UInt8](repeating: 0, count: RuleRecord.size)
            record[8] = UInt8(place + 1)
            switch action {
            case .limit(let limit):
                record[0] = RuleRecord.Kind.limit.rawValue
                record.replaceSubrange(RuleRecord.parameters..., with: LimitParameters(limit).bytes)
            case .log(let settings):
                record[0] = RuleRecord.Kind.log.rawValue
                record.replaceSubrange(RuleRecord.parameters..., with: LogParameters(settings).bytes)
            default: break
            }
            table += record
        }
        return table + [UInt8](repeating: 0, count: rules * RuleRecord.size - table.count)
    }

    private static func code(
        _ abilities: CompilerInput.KernelAbilities, snapLength: UInt16?, _ clock: Clock
    ) throws -> [Instruction] {
        var frame = FilterFrame(scratch: -112)
        frame.sourceAddress = -16
        frame.destinationAddress = -32
        frame.ipVersion = -40
        frame.length = -48
        let time: Int16 = -56
        var code = Assembler()
        let labels = (within: code.label(), exceeded: code.label(), log: code.label(), short: code.label())
        code.append([
            .move(.r6, .r1), .load(.word, .r1, from: .r6), .load(.word, .r2, from: .r6, offset: 4),
            .move(.r3, .r1), .add(.r3, 64),
        ])
        code.jump(.greater, .r3, .r2, to: labels.short)
        let places: [Int16] = [-16, -8, -32, -24, -40, -48, -56]
        for (index, place) in places.enumerated() {
            code.append([
                .load(.doubleWord, .r3, from: .r1, offset: Int16(index * 8)),
                .store(.doubleWord, .r3, to: .framePointer, offset: place),
            ])
        }
        code.append([
            .load(.doubleWord, .r3, from: .r1, offset: 56), .alu64(.and, .r3, Int32(rules - 1)),
            .alu64(.multiply, .r3, Int32(RuleRecord.size)),
        ])
        code.append(Instruction.loadMapValue(.r7, index: 3, offset: 0))
        code.append([.add(.r7, .r3), .load(.byte, .r1, from: .r7)])
        code.jump(.equal, .r1, Int32(RuleRecord.Kind.log.rawValue), to: labels.log)
        LimitCode.emit(
            into: &code, frame: frame, bucketsMap: 0, abilities: abilities, exceeded: labels.exceeded,
            within: labels.within)
        code.place(labels.log)
        if let snapLength {
            LogCode.emit(
                into: &code, frame: frame, maps: LogCode.Maps(log: 1, state: 2, buckets: 0),
                snapLength: snapLength, abilities: abilities, done: labels.within)
        } else {
            code.jump(to: labels.within)
        }
        for (label, verdict) in [
            (labels.within, within), (labels.exceeded, exceeded), (labels.short, 0),
        ] {
            code.place(label)
            code.append([.move(.r0, Int32(verdict)), .exit])
        }
        let getTime: Int32 = 5
        return try code.assemble(longJumps: false).instructions.map {
            clock == .packet && $0 == .call(helper: getTime)
                ? .load(.doubleWord, .r0, from: .framePointer, offset: time) : $0
        }
    }

    private static func placing(_ maps: [Int32], in code: [Instruction]) -> [Instruction] {
        code.map { instruction in
            var placed = instruction
            switch instruction.wideKind {
            case .mapIndex:
                placed =
                    Instruction.loadMap(
                        instruction.destination, descriptor: maps[Int(instruction.immediate)])[0]
            case .mapIndexValue:
                placed =
                    Instruction.loadMapValue(
                        instruction.destination, descriptor: maps[Int(instruction.immediate)], offset: 0)[0]
            default: break
            }
            return placed
        }
    }
}
