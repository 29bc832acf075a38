// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The value of an array map of one element as memory that this process, others and programs share. The map has to
/// be made with ``mapFlag``. Linux 5.5.
///
/// A call that writes the element writes all of it, and so what others wrote meanwhile; here every number is
/// written by itself.
public final class MappedValue: @unchecked Sendable {
    /// `BPF_F_MMAPABLE`
    public static let mapFlag: UInt32 = 1 << 10

    /// Whoever reads and writes has to do it atomically.
    public let memory: UnsafeMutableRawPointer
    /// Bytes.
    public let count: Int

    /// Needs a descriptor with which the map can be written.
    public init(_ map: borrowing BPFMap, count: Int) throws(BPFError) {
        guard
            let memory = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, map.descriptor.rawValue, 0),
            memory != MAP_FAILED
        else { throw BPFError("map an array into memory", errno: Errno(rawValue: errno)) }
        self.memory = memory
        self.count = count
    }

    deinit { munmap(memory, count) }
}
