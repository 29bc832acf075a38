// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

// Many elements in one call (Linux 5.6). Where a map or a kernel has no batches (tries before 5.13), which is found
// out by trying, the elements are handled one by one.
extension BPFMap {
    /// Writes `count` elements whose keys and values lie one behind the other. What an error leaves is written in
    /// part, from the first on.
    public borrowing func update(
        count: Int, keys: UnsafeRawPointer, keySize: Int, values: UnsafeRawPointer, valueSize: Int
    ) throws(BPFError) {
        var done = 0
        var patience = 20
        while done < count {
            var handled = 0
            do throws(Errno) {
                try batch(
                    .mapUpdateBatch, keys + done * keySize, values + done * valueSize, count - done, &handled)
                done += handled
            } catch {
                done += handled
                switch error {
                case _ where handled == 0 && Self.lacksBatches(error):
                    while done < count {
                        try update(keys + done * keySize, to: values + done * valueSize)
                        done += 1
                    }
                case .noMemory where patience > 0:
                    // The kernel fills its stock of elements from an interrupt, which a batch may outrun.
                    patience = handled > 0 ? 20 : patience - 1
                    usleep(1000)
                case .interrupted: continue
                default: throw BPFError("write map elements", errno: error)
                }
            }
        }
    }

    /// Removes `count` elements whose keys lie one behind the other, and says how many were there; `missing` hears the
    /// place of each that was not.
    @discardableResult
    public borrowing func delete(
        count: Int, keys: UnsafeRawPointer, keySize: Int, missing: (Int) -> Void = { _ in }
    ) throws(BPFError) -> Int {
        var done = 0
        var deleted = 0
        while done < count {
            var handled = 0
            do throws(Errno) {
                try batch(.mapDeleteBatch, keys + done * keySize, nil, count - done, &handled)
                done += handled
                deleted += handled
            } catch {
                done += handled
                deleted += handled
                switch error {
                case .noSuchFileOrDirectory:
                    // The batch ends at a key that is not there.
                    missing(done)
                    done += 1
                case _ where handled == 0 && Self.lacksBatches(error):
                    while done < count {
                        if try delete(keys + done * keySize) { deleted += 1 } else { missing(done) }
                        done += 1
                    }
                case .interrupted: continue
                default: throw BPFError("delete map elements", errno: error)
                }
            }
        }
        return deleted
    }

    /// Hands over all elements, `chunk` or so at a time: how many, their keys, their values. What changes meanwhile is
    /// seen or not; an element may be seen twice, and not at all only if it was added or deleted meanwhile.
    public borrowing func forEachBatch(
        keySize: Int, valueSize: Int, chunk: Int = 16384,
        _ body: (Int, UnsafeRawPointer, UnsafeRawPointer) throws(BPFError) -> Void
    ) throws(BPFError) {
        var room = max(chunk, 1)
        var keys = UnsafeMutableRawPointer.allocate(byteCount: room * keySize, alignment: 8)
        var values = UnsafeMutableRawPointer.allocate(byteCount: room * valueSize, alignment: 8)
        // Hash maps keep a bucket's number in it, others a key.
        let cursor = UnsafeMutableRawPointer.allocate(byteCount: max(keySize, 8), alignment: 8)
        defer { for memory in [keys, values, cursor] { memory.deallocate() } }
        var isFirst = true
        while true {
            var attributes = bpf_attr()
            attributes.batch.in_batch = isFirst ? 0 : UInt64(UInt(bitPattern: cursor))
            attributes.batch.out_batch = UInt64(UInt(bitPattern: cursor))
            attributes.batch.keys = UInt64(UInt(bitPattern: keys))
            attributes.batch.values = UInt64(UInt(bitPattern: values))
            attributes.batch.count = UInt32(room)
            attributes.batch.map_fd = UInt32(bitPattern: descriptor.rawValue)
            var fault: Errno?
            do throws(Errno) {
                try KernelDoor.bpf(.mapLookupBatch, &attributes)
            } catch {
                fault = error
            }
            switch fault {
            case nil, .noSuchFileOrDirectory?:
                let count = min(Int(attributes.batch.count), room)
                if count > 0 { try body(count, keys, values) }
                if fault != nil { return }
                isFirst = false
            case .noSpace? where room < 1 << 24:
                // More in one bucket than there is room for.
                room *= 4
                keys.deallocate()
                values.deallocate()
                keys = .allocate(byteCount: room * keySize, alignment: 8)
                values = .allocate(byteCount: room * valueSize, alignment: 8)
            case .interrupted?: continue
            case let error? where isFirst && Self.lacksBatches(error):
                return try forEachElement(keySize: keySize, valueSize: valueSize, room: room, body)
            case let error?: throw BPFError("read map elements", errno: error)
            }
        }
    }

    /// The same without batches.
    private borrowing func forEachElement(
        keySize: Int, valueSize: Int, room: Int,
        _ body: (Int, UnsafeRawPointer, UnsafeRawPointer) throws(BPFError) -> Void
    ) throws(BPFError) {
        let keys = UnsafeMutableRawPointer.allocate(byteCount: room * keySize, alignment: 8)
        let values = UnsafeMutableRawPointer.allocate(byteCount: room * valueSize, alignment: 8)
        let previous = UnsafeMutableRawPointer.allocate(byteCount: keySize, alignment: 8)
        defer { for memory in [keys, values, previous] { memory.deallocate() } }
        var count = 0
        var isFirst = true
        while try key(after: isFirst ? nil : UnsafeRawPointer(previous), into: keys + count * keySize) {
            isFirst = false
            previous.copyMemory(from: keys + count * keySize, byteCount: keySize)
            guard try lookup(keys + count * keySize, into: values + count * valueSize) else { continue }
            count += 1
            if count == room {
                try body(count, keys, values)
                count = 0
            }
        }
        if count > 0 { try body(count, keys, values) }
    }

    /// One call, and how many elements it handled, also where it failed.
    private borrowing func batch(
        _ command: BPFCommand, _ keys: UnsafeRawPointer, _ values: UnsafeRawPointer?, _ count: Int,
        _ handled: inout Int
    ) throws(Errno) {
        let asked = UInt32(min(count, 1 << 20))
        var attributes = bpf_attr()
        attributes.batch.keys = UInt64(UInt(bitPattern: keys))
        attributes.batch.values = UInt64(UInt(bitPattern: values))
        attributes.batch.count = asked
        attributes.batch.map_fd = UInt32(bitPattern: descriptor.rawValue)
        do throws(Errno) {
            try KernelDoor.bpf(command, &attributes)
            handled = Int(asked)
        } catch {
            // Where it fails before the first element, the kernel leaves the number as it was.
            handled = attributes.batch.count < asked ? Int(attributes.batch.count) : 0
            throw error
        }
    }

    /// Whether an error may mean that there are no batches: ENOTSUPP, of the kernel alone, or EINVAL, which single
    /// calls tell apart.
    private static func lacksBatches(_ error: Errno) -> Bool {
        error.rawValue == 524 || error == .invalidArgument || error == .notSupportedOnSocket
    }
}
