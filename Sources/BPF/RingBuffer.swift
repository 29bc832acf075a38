// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import SystemPackage

/// The reading side of a ring buffer map (Linux 5.8): records of any length, in the order in which programs reserved them.
///
/// Records are read where programs wrote them; nothing is copied. A ring has one position for reading, so it has one
/// reader: a second one, of any process, is refused. (That is an agreement between users of this type, see
/// ``RingReaderLock``; other libraries know nothing of it.)
///
/// The memory, as `bpf_ringbuf_map_alloc` of the kernel lays it out:
///
/// | Pages | Content |
/// |---|---|
/// | 1, writable | 8 bytes: how many bytes were read since the map was made (the consumer's position) |
/// | 1 | 8 bytes: how many were reserved (the producers' position) |
/// | 2 × size | the data, twice in a row, so that a record that goes over the end is in one piece |
///
/// A record is 4 bytes of length, of which bit 31 says that it is still being written and bit 30 that it was given up, 4 bytes
/// of the kernel's, and the data; it begins at a multiple of 8.
///
/// libbpf's reader is not used: it calls back through C for each record, without a bound before libbpf 1.5, and a
/// Swift error cannot pass through it. What it does is little: acquire the producers' position, acquire each
/// length, release one's own position.
public struct RingBuffer: ~Copyable, Sendable {
    /// The size of the data.
    public let size: Int
    private let descriptor: Descriptor
    private let map: UInt32
    private let page: Int
    // Memory that is mapped as long as this value lives, which alone uses the pointers.
    nonisolated(unsafe) private let consumer: UnsafeMutableRawPointer
    nonisolated(unsafe) private let producer: UnsafeMutableRawPointer
    /// Where the next record to be looked at begins, what of it was told to programs, and how far they were when it was looked
    /// last (``refresh()``).
    private var cursor: UInt
    private var published: UInt
    private var knownEnd: UInt

    private static let busy: UInt32 = 1 << 31
    private static let discarded: UInt32 = 1 << 30
    private static let head = 8

    /// Begins where the last reader ended.
    ///
    /// The descriptor has to be for reading and writing, and may be closed afterwards. Throws `EBUSY` where the map
    /// is being read through another descriptor.
    public init(_ map: borrowing BPFMap) throws(BPFError) {
        let information = try map.information()
        guard information.definition.type == .ringBuffer else {
            throw BPFError(
                "read a ring buffer", on: "map \(information.id)",
                kernelMessage: "it is a map of the type \(information.definition.type)")
        }
        let descriptor = try map.descriptor.duplicate()
        try RingReaderLock.take(descriptor, map: information.id)
        let page = sysconf(Int32(_SC_PAGESIZE))
        let size = Int(information.definition.maximumEntries)
        let consumer = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
        guard let consumer, consumer != MAP_FAILED else {
            throw BPFError("map a ring buffer into memory", errno: Errno(rawValue: errno))
        }
        let producer = mmap(nil, page + 2 * size, PROT_READ, MAP_SHARED, descriptor.rawValue, off_t(page))
        guard let producer, producer != MAP_FAILED else {
            let failure = Errno(rawValue: errno)
            munmap(consumer, page)
            throw BPFError("map a ring buffer into memory", errno: failure)
        }
        self.size = size
        self.descriptor = descriptor
        self.map = information.id
        self.page = page
        self.consumer = consumer
        self.producer = producer
        cursor = consumer.assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(ordering: .relaxed)
        published = cursor
        knownEnd = cursor
    }

    deinit {
        RingReaderLock.giveBack(descriptor, map: map)
        munmap(consumer, page)
        munmap(producer, page + 2 * size)
    }

    /// For poll(2) and its like: readable while a record waits. Valid as long as the reader.
    public var fileDescriptor: Int32 { descriptor.rawValue }

    /// The bytes that records take which were not read yet, those included that are being written.
    public var waitingBytes: Int {
        Int(truncatingIfNeeded: producerPosition &- published)
    }

    /// Waits until there may be a record, or a signal comes.
    ///
    /// - Parameter milliseconds: 0 looks without waiting; nil waits for ever.
    /// - Returns: false when the time ran out, or a signal came.
    public borrowing func wait(milliseconds: Int?) throws(BPFError) -> Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        let ready = poll(&entry, 1, milliseconds.map { Int32(clamping: max($0, 0)) } ?? -1)
        if ready < 0, errno != EINTR {
            throw BPFError("wait for a ring buffer", errno: Errno(rawValue: errno))
        }
        return ready > 0
    }

    /// Reads the records that are there, without waiting.
    ///
    /// Their room is given back to programs in portions, and before this returns; a record for which `body` threw counts as
    /// read.
    ///
    /// - Parameters:
    ///   - count: it ends after so many.
    ///   - body: gets each record, which is valid until it returns. What a program gave up is left out.
    /// - Returns: how many records `body` got. Less than `count`: there are no more now.
    @discardableResult
    public mutating func read<Failure: Error>(
        atMost count: Int = .max, _ body: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        var taken = 0
        defer { publish() }
        while taken < count {
            refresh()
            guard let record = next(at: cursor) else {
                guard published != cursor else { break }
                // A program that saw the old position woke nobody up: look again after it can see the new one.
                publish()
                continue
            }
            take(record)
            if let bytes = record.bytes {
                taken += 1
                try body(bytes.bytes)
            }
        }
        return taken
    }

    // MARK: - Record by record

    /// What comes next.
    package enum Front {
        /// The bytes are valid until ``advance()``.
        case record(UnsafeRawBufferPointer)
        /// A record is being written.
        case busy
        /// There is no other, up to where ``refresh()`` looked.
        case none
    }

    /// Looks how far programs are. What they reserve later is not seen until it is called again.
    package mutating func refresh() { knownEnd = producerPosition }

    /// The next record; what programs gave up is passed over.
    package mutating func front() -> Front {
        while cursor != knownEnd {
            guard let record = next(at: cursor) else { return .busy }
            if let bytes = record.bytes { return .record(bytes) }
            take(record)
        }
        return .none
    }

    /// Goes on behind the record at the front. Its room is given back now or later.
    package mutating func advance() {
        guard cursor != knownEnd, let record = next(at: cursor) else { return }
        take(record)
    }

    /// Gives programs all room back that was read.
    package mutating func giveBack() {
        if published != cursor { publish() }
    }

    /// Bytes that programs have reserved by now, and that were not read.
    package var unreadBytes: Int { Int(truncatingIfNeeded: producerPosition &- cursor) }

    private mutating func take(_ record: Record) {
        cursor &+= UInt(record.room)
        if cursor &- published >= UInt(size / 4) { publish() }
    }

    // MARK: - Memory

    private struct Record {
        /// Nil: it was given up.
        let bytes: UnsafeRawBufferPointer?
        let room: Int
    }

    /// The record at a position before the end that is known; nil if there is none, or it is still being written.
    private func next(at position: UInt) -> Record? {
        let end = knownEnd
        guard position != end else { return nil }
        let start = address(of: position)
        let header = start.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
        guard header & Self.busy == 0 else { return nil }
        let length = Int(header & ~(Self.busy | Self.discarded))
        // The kernel never writes a longer one.
        guard length <= size - Self.head else {
            return Record(bytes: nil, room: Int(truncatingIfNeeded: end &- position))
        }
        let bytes = UnsafeRawBufferPointer(start: start + Self.head, count: length)
        return Record(
            bytes: header & Self.discarded == 0 ? bytes : nil, room: (length + Self.head + 7) / 8 * 8)
    }

    private func address(of position: UInt) -> UnsafeRawPointer {
        UnsafeRawPointer(producer + page + Int(position % UInt(size)))
    }

    private var producerPosition: UInt {
        producer.assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(ordering: .acquiring)
    }

    /// Gives room back, and makes sure that what is looked at next is no older.
    private mutating func publish() {
        consumer.assumingMemoryBound(to: Atomic<UInt>.self).pointee.store(cursor, ordering: .releasing)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        published = cursor
    }
}
