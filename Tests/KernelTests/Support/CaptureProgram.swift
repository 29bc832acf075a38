// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Synchronization
import XDP

@testable import Capture

/// A capture's code, called at some points by a program that stands for a chain and is attached to nothing. Needs root.
///
/// Any thread may run it, and one reads.
final class CaptureProgram: @unchecked Sendable {
    /// A point, and the verdict that a packet has there.
    struct Call {
        var point: UInt32
        var verdict: UInt32

        init(_ point: UInt32, _ verdict: UInt32 = Tap.noVerdict) {
            self.point = point
            self.verdict = verdict
        }
    }

    struct Record {
        var head: CaptureRecord
        var bytes: [UInt8]
    }

    let program: Program
    let rings: CaptureRings
    let statistics: VerifierStatistics?
    private let pageMap: MapHandle
    private let page: MappedValue

    /// - Parameter isOneBuffer: the program is for packets that lie in one buffer.
    init(
        _ request: CaptureRequest, at calls: [Call] = [Call(0)], buffer: CaptureBuffer? = nil,
        abilities: CaptureAbilities = .probed(), isOneBuffer: Bool = false
    ) throws {
        rings = try CaptureRings(
            buffer ?? CaptureBuffer(bytes: 512 << 10, processors: 1, memory: .max))
        pageMap = try MapHandle(CapturePage.definition)
        page = try MappedValue(pageMap.map, count: CapturePage.size)
        let unit = try CaptureCode.unit(for: request, rings: rings.buffer.slots, abilities: abilities)
        var image = LoadedFilter.image(of: unit, [pageMap, rings.map])
        if isOneBuffer { image.supportsFrags = false }
        var code = Assembler()
        let capture = code.label()
        code.append([
            .move(.r6, .r1), .move(.r1, 0), .store(.doubleWord, .r1, to: .framePointer, offset: -8),
        ])
        for call in calls {
            code.append([
                .move(.r1, .r6), .move32(.r2, Int32(bitPattern: call.point)),
                .move32(.r3, Int32(bitPattern: call.verdict)), .move(.r4, .framePointer), .add(.r4, -8),
                .move(.r5, isOneBuffer ? 1 : 0),
            ])
            code.call(to: capture)
        }
        code.append([.move(.r0, 2), .exit])
        let start = code.count
        code.place(capture)
        code.append(image.instructions)
        image.instructions = try code.assemble(longJumps: false).instructions
        image.functions = [.init(instruction: 0, name: "main"), .init(instruction: start, name: "capture")]
        let loaded = try Program.load(image)
        statistics = loaded.statistics
        program = loaded.take()
    }

    @discardableResult
    func run(_ packet: [UInt8], times: UInt32 = 1) throws -> UInt32 {
        try program.testRun(packet, repeats: times).verdict
    }

    /// What was recorded since.
    func read(before limit: UInt64 = .max) -> [Record] {
        var records: [Record] = []
        rings.read(before: limit) { head, bytes in
            records.append(Record(head: head, bytes: bytes.withUnsafeBytes { Array($0) }))
        }
        return records
    }

    func lost(_ point: Int) -> UInt64 {
        UnsafePointer(
            (page.memory + CapturePage.lostOffset(ofPoint: point)).assumingMemoryBound(
                to: Atomic<UInt64>.self)
        ).pointee.load(ordering: .relaxed)
    }

    /// Has the next record that finds so many bytes in its ring wake whoever waits.
    var wakeup: UInt32 {
        get { word.pointee.load(ordering: .sequentiallyConsistent) }
        set { word.pointee.store(newValue, ordering: .sequentiallyConsistent) }
    }

    private var word: UnsafePointer<Atomic<UInt32>> {
        UnsafePointer((page.memory + CapturePage.wakeup).assumingMemoryBound(to: Atomic<UInt32>.self))
    }
}
