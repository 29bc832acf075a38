// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// Memory that the kernel may fill beyond what was expected, with a page behind it that nobody may touch. Pages that were
/// never written cost nothing.
final class GuardedMemory: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    private let size: Int
    private let page: Int

    init(byteCount: Int) throws(Errno) {
        page = Int(sysconf(Int32(_SC_PAGESIZE)))
        size = (byteCount + page - 1) / page * page
        guard
            let memory = mmap(
                nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            memory != MAP_FAILED
        else { throw Errno(rawValue: errno) }
        start = memory
        guard mprotect(start + size, page, PROT_NONE) == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { munmap(start, size + page) }

    func clear(_ count: Int) { memset(start, 0, min(count, size)) }

    func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        start.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    /// All of it, as what the kernel wrote for a command.
    var answer: DriverCounterAnswer {
        DriverCounterAnswer(UnsafeRawBufferPointer(start: start, count: size))
    }
}
