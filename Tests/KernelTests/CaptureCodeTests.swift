// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing
import XDP

@testable import Capture

/// The code of a capture on the kernel, with and without the kernel's help for packets of several buffers. Needs root.
@Suite("The code of captures on the kernel")
struct CaptureCodeTests {
    typealias Call = CaptureProgram.Call

    /// Each byte tells where it stands.
    private static func packet(_ length: Int, seed: Int = 0) -> [UInt8] {
        (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8 &+ seed) }
    }

    private static func abilities(_ hasBufferAccess: Bool?) -> CaptureAbilities {
        var abilities = CaptureAbilities.probed()
        if let hasBufferAccess { abilities.hasBufferAccess = hasBufferAccess }
        return abilities
    }

    @Test(
        "the bytes are the packet's up to the snap length, whatever the two are",
        arguments: [nil, false],
        [1, 7, 8, 63, 64, 65, 71, 96, 128, 300, 1500, 9216, 262_144] as [UInt32])
    func bytes(hasBufferAccess: Bool?, snapLength: UInt32) throws {
        var request = CaptureRequest()
        request.snapLength = snapLength
        let lengths = [
            14, 15, 59, 60, 63, 64, 65, 71, 72, 100, 127, 128, 129, 192, 500, 512, 513, 1023, 1500, 3000,
        ]
        for isOneBuffer in [false, true] {
            let program = try CaptureProgram(
                request, abilities: Self.abilities(hasBufferAccess), isOneBuffer: isOneBuffer)
            for length in lengths {
                let packet = Self.packet(length, seed: length)
                #expect(try program.run(packet) == 2)
                let records = program.read()
                try #require(records.count == 1)
                #expect(records[0].bytes == Array(packet.prefix(Int(snapLength))), "\(length) bytes")
                #expect(records[0].head.length == UInt32(length))
            }
            #expect(program.lost(0) == 0)
        }
    }

    @Test(
        "packets of several buffers are whole",
        arguments: [4000, 9014, 32_768, 60_000, 65_535, 65_536, 68_000])
    func buffers(length: Int) throws {
        try KernelNeed.frags.check()
        let program = try CaptureProgram(CaptureRequest())
        let packet = Self.packet(length)

        try program.run(packet)
        let records = program.read()

        try #require(records.count == 1)
        #expect(records[0].head.length == UInt32(length))
        #expect(records[0].bytes == packet)
    }

    @Test("the same code has nothing left of what is for several buffers where packets lie in one")
    func oneBuffer() throws {
        try KernelNeed.frags.check()
        var request = CaptureRequest()
        request.program = try ClassicProgram(compiling: "len = 77 or len = 1000")
        var sizes: [UInt32] = []
        for isOneBuffer in [false, true] {
            let program = try CaptureProgram(request, isOneBuffer: isOneBuffer)
            for length in [76, 77, 999, 1000] { try program.run(Self.packet(length)) }
            #expect(program.read().map(\.head.length) == [77, 1000])
            sizes.append(try program.program.information().translatedSize)
        }
        // Two calls are gone, and the questions whether they are needed.
        #expect(sizes[0] != sizes[1])
    }

    @Test("a record takes little more room than its bytes")
    func waste() throws {
        for length in [60, 128, 300, 576, 1000, 1400, 1514, 3000, 9014, 16_000, 64_000] {
            let sizes = RecordRooms(snapLength: 262_144, abilities: CaptureAbilities()).sizes
            let room = try #require(sizes.first { $0 >= length }) + CaptureRecord.headSize + 8
            let least = length + CaptureRecord.headSize + 8
            #expect(Double(room) <= Double(least) * 1.15, "\(length) bytes")
        }
    }

    @Test("the head says when, where, which packet and which verdict", arguments: [nil, false])
    func head(hasBufferAccess: Bool?) throws {
        let program = try CaptureProgram(
            CaptureRequest(), at: [Call(3), Call(7, 1), Call(1023, 0xdead_beef)],
            abilities: Self.abilities(hasBufferAccess))

        let before = MonotonicTime.now()
        try program.run(Self.packet(60))
        try program.run(Self.packet(61))
        let after = MonotonicTime.now()
        let heads = program.read().map(\.head)

        #expect(heads.map(\.point) == [3, 7, 1023, 3, 7, 1023])
        #expect(heads.map(\.verdict) == [Tap.noVerdict, 1, 0xdead_beef, Tap.noVerdict, 1, 0xdead_beef])
        #expect(heads.map(\.length) == [60, 60, 60, 61, 61, 61])
        let times = heads.map(\.time)
        #expect(times == times.sorted())
        #expect(times.allSatisfy { $0 + 1_000_000 > before && $0 < after + 1_000_000 })
        // A number for each packet, which is neither that of one that is new nor of one that was left out.
        #expect(Set(heads[..<3].map(\.packet)).count == 1 && Set(heads[3...].map(\.packet)).count == 1)
        #expect(heads[0].packet != heads[3].packet && heads.allSatisfy { $0.packet > 1 })
        #expect(heads.allSatisfy { $0.queue == 0 && $0.cpu < 4096 })
    }

    @Test("only wanted verdicts are recorded, a code that is none as aborted, and points without one")
    func verdicts() throws {
        let calls = [
            Call(0), Call(1, 0), Call(2, 1), Call(3, 2), Call(4, 4), Call(5, 5), Call(6, 0x8000_0001),
        ]
        func points(_ verdicts: Set<Verdict>?) throws -> [UInt32] {
            var request = CaptureRequest()
            request.verdicts = verdicts
            let program = try CaptureProgram(request, at: calls)
            try program.run(Self.packet(60))
            return program.read().map(\.head.point)
        }

        #expect(try points(nil) == [0, 1, 2, 3, 4, 5, 6])
        #expect(try points([.drop]) == [0, 2])
        #expect(try points([.aborted]) == [0, 1, 5, 6])
        #expect(try points([.pass, .redirect]) == [0, 3, 4])
        #expect(try points([]) == [0])
    }

    @Test(
        "of every so many packets one is taken, at all of its points", arguments: [2, 3, 7, 1000] as [UInt32])
    func sample(every: UInt32) throws {
        var request = CaptureRequest()
        request.every = every
        let program = try CaptureProgram(request, at: [Call(0), Call(1, 2), Call(2, 1)])
        let count = every * 5

        // On one CPU, as long as the call does not sleep.
        try program.run(Self.packet(60), times: count)
        let heads = program.read().map(\.head)

        #expect(heads.map(\.point) == (0..<15).map { $0 % 3 })
        #expect(Set(heads.map(\.packet)).count == 5)
    }

    @Test("the sample is of the packets that match, and is made where they match first")
    func sampleOfVerdicts() throws {
        var request = CaptureRequest()
        request.every = 3
        request.verdicts = [.drop]
        let program = try CaptureProgram(request, at: [Call(0, 2), Call(1, 1), Call(2, 1)])

        try program.run(Self.packet(60), times: 9)

        #expect(program.read().map(\.head.point) == [1, 2, 1, 2, 1, 2])
    }

    @Test("what a full ring had no room for is counted by point, to the last one")
    func lost() throws {
        let program = try CaptureProgram(
            CaptureRequest(), at: [Call(0), Call(9, 2)],
            buffer: CaptureBuffer(bytes: 128 << 10, processors: 1, memory: .max))

        try program.run(Self.packet(1000), times: 500)
        let first = program.read()
        try program.run(Self.packet(64), times: 5)
        let second = program.read()

        let captured = { (point: UInt32) in UInt64(first.count { $0.head.point == point }) }
        #expect(captured(0) + program.lost(0) == 500)
        #expect(captured(9) + program.lost(9) == 500)
        #expect(program.lost(0) > 300 && program.lost(5) == 0)
        #expect(second.count == 10)
    }

    @Test("rings of several CPUs are read as one in the order of time, and nothing that is too new")
    func merge() throws {
        let program = try CaptureProgram(
            CaptureRequest(), at: [Call(0), Call(1)],
            buffer: CaptureBuffer(bytes: 3 << 20, processors: 3, memory: .max))
        let processors = min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 3)
        for round in 0..<30 {
            try OnProcessor.run(round % processors) {
                _ = try program.run(Self.packet(60 + round), times: UInt32(1 + round % 4))
            }
        }
        let middle = MonotonicTime.now()
        usleep(2000)
        try program.run(Self.packet(14))

        let early = program.read(before: middle)
        let late = program.read()

        #expect(early.count == 2 * (0..<30).reduce(0) { $0 + 1 + $1 % 4 })
        #expect(Set(early.map(\.head.cpu)).count == processors)
        let times = early.map(\.head.time)
        #expect(times == times.sorted())
        #expect(late.map(\.bytes.count) == [14, 14])
        #expect(Set((early + late).map(\.head.packet)).count == early.count / 2 + 1)
    }

    @Test("what CPUs write at the same time comes in the order of time, and all of it")
    func concurrent() throws {
        let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let program = try CaptureProgram(
            CaptureRequest(),
            buffer: CaptureBuffer(bytes: processors << 20, processors: processors, memory: .max))
        let packet = Self.packet(100)
        let running = Atomic(processors)
        let failures = Atomic(0)
        for processor in 0..<processors {
            Thread.detachNewThread {
                do {
                    try OnProcessor.run(processor) {
                        for round in 0..<100 { try program.run(packet, times: UInt32(1 + round % 90)) }
                    }
                } catch { failures.add(1, ordering: .relaxed) }
                running.subtract(1, ordering: .releasing)
            }
        }
        var last: UInt64 = 0
        var count: UInt64 = 0
        var passes = 0
        var isInOrder = true
        func read(before limit: UInt64) {
            let former = count
            program.rings.read(before: limit) { record, bytes in
                isInOrder = isInOrder && record.time >= last && bytes.byteCount == 100
                last = record.time
                count += 1
            }
            if count > former { passes += 1 }
        }

        while running.load(ordering: .acquiring) > 0 { read(before: MonotonicTime.now() - 100_000) }
        read(before: .max)

        let sent = (0..<100).reduce(0) { $0 + UInt64(1 + $1 % 90) } * UInt64(processors)
        #expect(isInOrder)
        #expect(passes > 5)
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(count + program.lost(0) == sent)
    }

    @Test("a reader is woken once, by the record that finds as much in its ring as it said")
    func wakeup() throws {
        let program = try CaptureProgram(CaptureRequest())
        // That there was something when the ring was watched first counts as well.
        _ = program.rings.wait(milliseconds: 0)
        func isWoken() -> Bool {
            let start = MonotonicTime.now()
            _ = program.rings.wait(milliseconds: 300)
            return MonotonicTime.now() - start < 250_000_000
        }

        program.wakeup = 1000
        try program.run(Self.packet(64), times: 3)
        #expect(!isWoken() && program.wakeup == 1000)
        try program.run(Self.packet(64), times: 20)
        #expect(isWoken() && program.wakeup == 0)
        try program.run(Self.packet(64), times: 20)
        #expect(!isWoken())
    }

    @Test("the verifier's work for a point stays small", arguments: [nil, false])
    func work(hasBufferAccess: Bool?) throws {
        let abilities = Self.abilities(hasBufferAccess)
        let one = try CaptureProgram(CaptureRequest(), at: [Call(0)], abilities: abilities).statistics
        let many = try CaptureProgram(
            CaptureRequest(), at: (0..<20).map { Call($0, 2) }, abilities: abilities
        ).statistics

        let single = try #require(one?.processedInstructions)
        let all = try #require(many?.processedInstructions)
        print("verifier: \(single) for one point, \(all) for twenty")
        #expect(all < 1_000_000 / 2)
        #expect(single < (abilities.hasBufferAccess ? 4000 : 20_000))
    }

    @Test("what cannot be captured is refused with a reason")
    func refusals() throws {
        func failure(_ change: (inout CaptureRequest) -> Void, rings: Int = 1) -> XDPError? {
            var request = CaptureRequest()
            change(&request)
            do throws(XDPError) {
                _ = try CaptureCode.unit(for: request, rings: rings, abilities: CaptureAbilities())
                return nil
            } catch { return error }
        }

        #expect(failure { $0.every = 0 }?.kind == .invalid)
        #expect(failure { $0.snapLength = 0 }?.kind == .invalid)
        #expect(failure { $0.snapLength = 262_145 }?.kind == .invalid)
        #expect(failure({ _ in }, rings: 3)?.kind == .invalid)
        #expect(failure { _ in } == nil)
    }
}
