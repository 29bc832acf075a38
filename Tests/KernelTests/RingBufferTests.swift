// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Ring buffers of the real kernel. Needs root.
@Suite("Ring buffers on the kernel")
struct RingBufferTests {
    /// A record's number; nil if the record is not as it was written.
    private static func number(of record: RawSpan) -> UInt64? {
        let bytes = record.withUnsafeBytes { Array($0) }
        guard let number: UInt64 = ByteReader(bytes).integer(at: 0),
            bytes.count == RingWriter.length(of: number)
        else { return nil }
        for place in 8..<bytes.count where bytes[place] != UInt8(truncatingIfNeeded: place) { return nil }
        return number
    }

    private static func numbers(upTo last: UInt64) -> [UInt64] {
        (1...last).filter { $0 % RingWriter.everyGivenUp != 0 }
    }

    @Test("records of all lengths come in order and in one piece, many times around the ring")
    func records() throws {
        let writer = try RingWriter(size: 16_384)
        var reader = try RingBuffer(writer.ring.map)
        var numbers: [UInt64?] = []

        for _ in 0..<40 {
            try writer.write(20)
            reader.read { numbers.append(Self.number(of: $0)) }
        }

        #expect(numbers == Self.numbers(upTo: 800))
        #expect(try writer.lostRecords() == 0)
        #expect(reader.waitingBytes == 0)
    }

    @Test("a batch ends where it was told to, and the next one goes on there, also with another reader")
    func batches() throws {
        let writer = try RingWriter(size: 65_536)
        try writer.write(60)
        var numbers: [UInt64?] = []

        do {
            var reader = try RingBuffer(writer.ring.map)
            #expect(reader.read(atMost: 10) { numbers.append(Self.number(of: $0)) } == 10)
            #expect(reader.read(atMost: 1) { numbers.append(Self.number(of: $0)) } == 1)
        }
        var reader = try RingBuffer(writer.ring.map)
        let rest = reader.read { numbers.append(Self.number(of: $0)) }

        #expect(numbers == Self.numbers(upTo: 60))
        #expect(rest == numbers.count - 11)
        #expect(reader.read { _ in } == 0)
    }

    @Test("a record whose reading fails is not read again")
    func failure() throws {
        struct Failure: Error {}
        let writer = try RingWriter(size: 16_384)
        var reader = try RingBuffer(writer.ring.map)
        try writer.write(3)
        var numbers: [UInt64?] = []

        #expect(throws: Failure.self) {
            try reader.read { record in
                numbers.append(Self.number(of: record))
                if numbers.count == 2 { throw Failure() }
            }
        }
        reader.read { numbers.append(Self.number(of: $0)) }

        #expect(numbers == [1, 2, 3])
    }

    @Test("what a full ring had no room for is missing, and what was in it is whole")
    func full() throws {
        let writer = try RingWriter(size: 4096)
        var reader = try RingBuffer(writer.ring.map)
        try writer.write(100)
        var numbers: [UInt64?] = []

        reader.read { numbers.append(Self.number(of: $0)) }

        #expect(!numbers.isEmpty && !numbers.contains(nil))
        #expect(UInt64(numbers.count) + (try writer.lostRecords()) == UInt64(Self.numbers(upTo: 100).count))
    }

    @Test("a reader that waits is woken, and reads what another CPU writes meanwhile without a fault")
    func concurrent() throws {
        let writer = try RingWriter(size: 65_536)
        var reader = try RingBuffer(writer.ring.map)
        let isEnding = Atomic(false)
        let failures = Atomic(0)
        let isOver = Atomic(false)
        let thread = Thread {
            func write(_ records: UInt32) {
                do { try writer.write(records) } catch { failures.add(1, ordering: .relaxed) }
            }
            // One by one and by the thousand: the reader sleeps now and then.
            for _ in 0..<200 { write(1) }
            for _ in 0..<10 { write(3979) }
            // The last record wakes a reader that did not see the end.
            isEnding.store(true, ordering: .releasing)
            write(1)
            isOver.store(true, ordering: .releasing)
        }
        let total: UInt64 = 200 + 39_790 + 1
        var last: UInt64 = 0
        var count: UInt64 = 0
        var isInOrder = true
        var longestWait = Duration.zero

        thread.start()
        while !isEnding.load(ordering: .acquiring) {
            let started = ContinuousClock.now
            _ = try reader.wait(milliseconds: 20_000)
            longestWait = max(longestWait, ContinuousClock.now - started)
            reader.read { record in
                let number = Self.number(of: record) ?? 0
                isInOrder = isInOrder && number > last
                last = number
                count += 1
            }
        }
        #expect(eventually { isOver.load(ordering: .acquiring) })
        count += UInt64(reader.read { _ in })

        #expect(isInOrder)
        #expect(longestWait < .seconds(15))
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(count + (try writer.lostRecords()) == UInt64(Self.numbers(upTo: total).count))
    }

    @Test("a second reader is refused with the process that reads, until that one ends")
    func second() throws {
        let map = try RingWriter(size: 4096).ring
        do {
            let first = try RingBuffer(map.map)
            let other = try BPFMap(id: map.id)

            let error = try #require(throws: BPFError.self) { _ = try RingBuffer(other) }
            #expect(error.errno == .resourceBusy)
            #expect(error.description.contains("process \(getpid()) ("))
            #expect(error.remedy != nil)
            let another = try RingBuffer(RingWriter(size: 4096).ring.map)
            #expect(first.waitingBytes == another.waitingBytes)
        }

        _ = try RingBuffer(try BPFMap(id: map.id))
    }

    @Test("without a record waiting ends in time; a map of another kind is refused")
    func waiting() throws {
        let writer = try RingWriter(size: 4096)
        let reader = try RingBuffer(writer.ring.map)

        #expect(try !reader.wait(milliseconds: 10))
        try writer.write(1)
        #expect(try reader.wait(milliseconds: 0))
        let other = try BPFMap(
            MapDefinition(name: "other", type: .array, keySize: 4, valueSize: 4, maximumEntries: 1))
        #expect(throws: BPFError.self) { _ = try RingBuffer(other) }
    }
}
