// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import TestSupport

@testable import XDP

/// A tap whose code writes down what it is called with. Its owner lives as long as the test says.
final class KernelTap: Sendable {
    let name: String
    let guardMap: MapHandle
    let log: MapHandle

    /// What is kept: the number of calls, then 24 bytes for each.
    private static let most: Int32 = 600
    private static let logSize = UInt32(16 + (most + 1) * 24)

    /// One call.
    struct Sight: Hashable, CustomStringConvertible {
        var point: TapPoint
        var verdict: UInt32
        /// What stood in the packet's own bytes, which each call counts up.
        var found: UInt64

        var description: String { "\(point)(\(point.member)) \(Int32(bitPattern: verdict)) after \(found)" }
    }

    init(_ name: String, owner: UInt32 = 4711) throws {
        self.name = name
        guardMap = try MapHandle(
            MapDefinition(
                name: "tap_guard", type: .array, keySize: 4, valueSize: 64, maximumEntries: 1,
                flags: MappedValue.mapFlag))
        log = try MapHandle(
            MapDefinition(
                name: "tap_log", type: .array, keySize: 4, valueSize: Self.logSize, maximumEntries: 1))
        try setOwner(owner)
    }

    var maps: [MapHandle] { [guardMap, log] }

    /// What the kernel does when the owner ends: 0, or the bit alone that tells the next owner.
    func setOwner(_ thread: UInt32) throws {
        var value = [UInt8](repeating: 0xff, count: 64)
        for byte in 0..<4 { value[byte] = UInt8(truncatingIfNeeded: thread >> (8 * byte)) }
        try guardMap.map.update([0, 0, 0, 0], to: value)
    }

    func tap(_ selection: TapSelection) -> Tap {
        Tap(
            name: name, purpose: "tcp port 443", process: 4711,
            unit: Unit(
                program: "tap_main", license: "Apache-2.0", instructions: Self.code,
                maps: maps.map { UnitMap(name: $0.definition.name, definition: $0.definition) }),
            mapIDs: maps.map(\.id), guardMap: 0, selection: selection)
    }

    private static let code: [Instruction] = {
        var assembler = Assembler()
        let end = assembler.label()
        let first = assembler.label()
        assembler.append(Instruction.loadMapValue(.r6, index: 1, offset: 0))
        assembler.append(.load(.doubleWord, .r7, from: .r6))
        assembler.jump(.greater, .r7, most, to: end)
        assembler.append(.move(.r8, .r7))
        assembler.append(.add(.r8, 1))
        assembler.append(.store(.doubleWord, .r8, to: .r6))
        assembler.append(.multiply(.r7, 24))
        assembler.append(.add(.r6, .r7))
        assembler.append(.store(.doubleWord, .r2, to: .r6, offset: 16))
        assembler.append(.store(.doubleWord, .r3, to: .r6, offset: 24))
        assembler.append(.load(.doubleWord, .r9, from: .r4))
        assembler.append(.store(.doubleWord, .r9, to: .r6, offset: 32))
        // As a capture does that gives the packet a number where it sees it first.
        assembler.jump(.equal, .r9, 0, to: first)
        assembler.append(.add(.r9, 1))
        assembler.append(.store(.doubleWord, .r9, to: .r4))
        assembler.jump(to: end)
        assembler.place(first)
        assembler.append(.move(.r9, 1))
        assembler.append(.store(.doubleWord, .r9, to: .r4))
        assembler.place(end)
        // The packet is there.
        assembler.append(.load(.word, .r2, from: .r1, offset: 4))
        assembler.append(.load(.word, .r1, from: .r1, offset: 0))
        assembler.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: -192))
        assembler.append(.move(.r0, 77))
        assembler.append(.exit)
        return (try? assembler.assemble(longJumps: false).instructions) ?? []
    }()

    /// What it saw since this was asked for last.
    func sights(_ points: [TapPoint]) throws -> [Sight] {
        let value = try log.map.lookup([0, 0, 0, 0], valueSize: Int(Self.logSize)) ?? []
        try log.map.update([0, 0, 0, 0], to: [UInt8](repeating: 0, count: Int(Self.logSize)))
        let reader = ByteReader(value)
        let count: UInt64 = reader.integer(at: 0) ?? 0
        return (0..<Int(count)).map { number in
            let start = 16 + 24 * number
            let point: UInt64 = reader.integer(at: start) ?? 0
            let verdict: UInt64 = reader.integer(at: start + 8) ?? 0
            return Sight(
                point: points[Int(point)], verdict: UInt32(truncatingIfNeeded: verdict),
                found: reader.integer(at: start + 16) ?? 0)
        }
    }
}

extension TapSelection {
    /// Everything there is to see.
    static let all = TapSelection(start: true, end: true, allEntries: true, allExits: true)
}

extension ChainBench {
    /// Starts a tap, and gives it with its points.
    @discardableResult
    func start(
        _ tap: KernelTap, _ selection: TapSelection = .all, on interface: String = "near",
        mode: ModeRequest = .native
    ) throws -> ChangeReport {
        try edit(interface) { editor throws(XDPError) in
            try editor.startTap(tap.tap(selection), resources: tap.maps, mode: mode)
        }
    }

    @discardableResult
    func end(_ tap: KernelTap, on interface: String = "near") throws -> ChangeReport {
        try edit(interface) { editor throws(XDPError) in try editor.endTap(tap.name) }
    }

    /// The taps of the chain that runs.
    func taps(_ interface: String = "near") throws -> [Tap] {
        guard case .chain(let active) = try occupant(interface) else { return [] }
        return active.manifest.chain.taps
    }

    /// The texts of what a tap saw, with the member of an end.
    func sights(_ tap: KernelTap, on interface: String = "near") throws -> [String] {
        let points = try taps(interface).first { $0.name == tap.name }?.points ?? []
        return try tap.sights(points).map { sight in
            let verdict = Verdict(rawValue: sight.verdict).map { " \($0)" } ?? ""
            let end = sight.point.kind == .end ? "(\(sight.point.member))" : ""
            return "\(sight.point)\(end)\(verdict)"
        }
    }
}
