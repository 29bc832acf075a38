// SPDX-License-Identifier: Apache-2.0
import Glibc

/// CLOCK_MONOTONIC, which bpf_ktime_get_ns reads too.
public enum MonotonicTime {
    /// Nanoseconds.
    public static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
