// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import Glibc
import SystemPackage
import XDP

/// The ring buffers of a capture, made and read.
final class CaptureRings {
    static let mapName = "xdpctl_rings"
    static let ringName = "xdpctl_ring"

    let buffer: CaptureBuffer
    /// What the unit knows: the ring, or the array of them.
    let map: MapHandle
    private(set) var merger: RingMerger
    /// An epoll(7) over all rings.
    private let poll: Descriptor

    init(_ buffer: CaptureBuffer) throws(XDPError) {
        self.buffer = buffer
        let definition = Self.ring(of: buffer.ringSize)
        do throws(BPFError) {
            var handles: [MapHandle] = []
            for _ in 0..<buffer.rings { handles.append(try MapHandle(definition)) }
            if handles.count == 1 {
                map = handles[0]
            } else {
                map = try MapHandle(BPFMap(Self.definition(rings: buffer.slots), like: handles[0].map))
                for slot in 0..<buffer.slots {
                    try map.map.set(handles[slot % handles.count].map, at: UInt32(slot))
                }
            }
            var rings: [CaptureRing] = []
            for handle in handles { rings.append(try CaptureRing(RingBuffer(handle.map))) }
            merger = RingMerger(rings)
            poll = try Self.poll(rings)
        } catch {
            throw Self.failure(error, buffer)
        }
    }

    /// What the unit's second map is; the size of a single ring is not known to it.
    static func definition(rings: Int) -> MapDefinition {
        guard rings > 1 else { return ring(of: CaptureBuffer.smallestRing) }
        return MapDefinition(
            name: mapName, type: .arrayOfMaps, keySize: 4, valueSize: 4, maximumEntries: UInt32(rings))
    }

    private static func ring(of size: Int) -> MapDefinition {
        MapDefinition(
            name: ringName, type: .ringBuffer, keySize: 0, valueSize: 0, maximumEntries: UInt32(size))
    }

    private static func failure(_ error: BPFError, _ buffer: CaptureBuffer) -> XDPError {
        var failure = XDPError(error, during: "The buffer of \(buffer.size >> 10) KiB cannot be made")
        switch error.errno {
        case .notPermitted?:
            // Whoever lacks the capability is told so, by the error itself.
            guard case .lockedMemory = MemoryAccounting.probe() else { break }
            failure.remedy =
                "Before Linux 5.11 it counts against the limit on locked memory: raise that "
                + "(ulimit -l unlimited), or take a smaller buffer"
        case .noMemory?: failure.remedy = "Take a smaller buffer"
        default: break
        }
        return failure
    }

    // MARK: - Waiting

    private static func poll(_ rings: [CaptureRing]) throws(BPFError) -> Descriptor {
        let number = cbpf_wakeups()
        guard number >= 0 else {
            throw BPFError("wait for ring buffers", errno: Errno(rawValue: -number))
        }
        let poll = Descriptor(owning: number)
        for ring in rings {
            let code = cbpf_watch_wakeups(number, ring.buffer.fileDescriptor)
            guard code == 0 else { throw BPFError("wait for ring buffers", errno: Errno(rawValue: -code)) }
        }
        return poll
    }

    /// The bytes in the fullest ring that were not read.
    var unread: Int { merger.unread }

    /// When so much is in a ring a sleeping reader is woken.
    var wakeupThreshold: Int { buffer.ringSize / 4 }

    /// Waits until a ring wakes the reader, at most so long; false if a signal came.
    ///
    /// That there is something to read does not end it: few records are not worth a pass.
    func wait(milliseconds: Int) -> Bool {
        cbpf_wait_for_wakeup(poll.rawValue, Int32(clamping: milliseconds)) != -EINTR
    }

    /// Hands records over, in the order of time (``RingMerger/read(before:_:)``).
    func read(before limit: UInt64, _ body: (CaptureRecord, RawSpan) -> Void) {
        merger.read(before: limit, body)
    }
}

/// A ring buffer that several hold.
final class CaptureRing {
    var buffer: RingBuffer

    init(_ buffer: consuming RingBuffer) {
        self.buffer = buffer
    }
}
