// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// RLIMIT_MEMLOCK, which bounds BPF memory before Linux 5.11 and does not matter later.
enum MemoryLock {
    /// Repeats `body` once with the limit raised if the kernel answers EPERM, as it does for both a missing
    /// capability and an exhausted limit.
    static func retrying(
        _ body: () throws(Errno) -> Descriptor
    ) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try body()
        } catch {
            guard error == .notPermitted, raise() else { throw error }
            return try body()
        }
    }

    /// Lifts the limit as far as this process may; false if that changes nothing.
    static func raise() -> Bool {
        var limit = rlimit()
        guard cbpf_get_memory_lock_limit(&limit) == 0, limit.rlim_cur != rlim_t.max else { return false }
        var unlimited = rlimit(rlim_cur: .max, rlim_max: .max)
        if cbpf_set_memory_lock_limit(&unlimited) == 0 { return true }
        guard limit.rlim_cur < limit.rlim_max else { return false }
        limit.rlim_cur = limit.rlim_max
        return cbpf_set_memory_lock_limit(&limit) == 0
    }
}
