// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// Reads the rings of all CPUs as one, in the order of time.
///
/// Whoever writes a record reads the time after it has reserved the room. So a record with a time before a moment is in its
/// ring at that moment, finished or not; and if only those are handed over that are older than the beginning of the pass, no
/// ring can come with an older one later. A record that is not finished ends the pass.
///
/// Where CPUs share a ring, records of theirs that were written in the same microsecond may stand in it the other way
/// round, and stay so.
struct RingMerger {
    private let rings: [CaptureRing]
    /// A heap: the ring with the oldest record stands first.
    private var heap: [Entry] = []

    private struct Entry {
        var time: UInt64
        var ring: Int
    }

    init(_ rings: [CaptureRing]) {
        self.rings = rings
        heap.reserveCapacity(rings.count)
    }

    var unread: Int { rings.reduce(0) { max($0, $1.buffer.unreadBytes) } }

    /// Hands records over that are older than a moment, and gives their room back.
    ///
    /// - Parameters:
    ///   - limit: nanoseconds of CLOCK_MONOTONIC, not later than now; or the largest number, if nobody writes any more.
    ///   - body: gets the head, and the packet's bytes, which are valid until it returns.
    mutating func read(before limit: UInt64, _ body: (CaptureRecord, RawSpan) -> Void) {
        heap.removeAll(keepingCapacity: true)
        defer { for ring in rings { ring.buffer.giveBack() } }
        // All of them, and then what is in them: a record that is reserved meanwhile is no older than the limit.
        for ring in rings { ring.buffer.refresh() }
        for ring in rings.indices {
            switch time(of: ring) {
            case .at(let time): push(Entry(time: time, ring: ring))
            case .unknown: return
            case .none: break
            }
        }
        while let first = heap.first, first.time < limit {
            let next = min(limit, second)
            let ring = rings[first.ring]
            var time = NextTime.at(first.time)
            while case .at(let now) = time, now <= next, now < limit {
                Self.hand(ring, to: body)
                ring.buffer.advance()
                time = self.time(of: first.ring)
            }
            switch time {
            case .at(let time): heap[0].time = time
            case .unknown: return
            case .none:
                let last = heap.removeLast()
                if heap.isEmpty { return }
                heap[0] = last
            }
            siftDown()
        }
    }

    private enum NextTime {
        case at(UInt64)
        case unknown
        case none
    }

    private func time(of ring: Int) -> NextTime {
        while true {
            switch rings[ring].buffer.front() {
            case .busy: return .unknown
            case .none: return .none
            case .record(let bytes):
                guard bytes.count >= CaptureRecord.headSize else {
                    // Nobody writes such a one.
                    rings[ring].buffer.advance()
                    continue
                }
                return .at(
                    bytes.loadUnaligned(fromByteOffset: Int(CaptureRecord.Offset.time), as: UInt64.self))
            }
        }
    }

    private static func hand(_ ring: CaptureRing, to body: (CaptureRecord, RawSpan) -> Void) {
        guard case .record(let bytes) = ring.buffer.front(), let record = CaptureRecord(bytes.bytes) else {
            return
        }
        let start = CaptureRecord.headSize
        body(record, UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(record.captured)]).bytes)
    }

    // MARK: - The heap

    /// The oldest time of all rings but the first.
    private var second: UInt64 {
        switch heap.count {
        case 0, 1: .max
        case 2: heap[1].time
        default: min(heap[1].time, heap[2].time)
        }
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2].time > heap[child].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].time < heap[smallest].time {
                smallest = child
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
