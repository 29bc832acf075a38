// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Waits until there is something to read.
///
/// - Parameter timeoutMilliseconds: 0 or less looks without waiting; nil waits for ever.
/// - Returns: false when the time ran out.
func waitUntilReadable(_ descriptor: CInt, timeoutMilliseconds: Int?) throws(Errno) -> Bool {
    let deadline = timeoutMilliseconds.map { monotonicMilliseconds().addingReportingOverflow(max($0, 0)) }
    while true {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var wait: CInt = -1
        if let deadline, !deadline.overflow {
            wait = CInt(clamping: max(deadline.partialValue - monotonicMilliseconds(), 0))
        }
        let ready = poll(&entry, 1, wait)
        if ready > 0 { return true }
        if ready < 0 {
            let error = Errno(rawValue: errno)
            guard error == .interrupted else { throw error }
        } else if let deadline, !deadline.overflow, monotonicMilliseconds() >= deadline.partialValue {
            return false
        }
    }
}

/// Milliseconds of the clock that nobody sets.
func monotonicMilliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int(now.tv_sec) * 1000 + Int(now.tv_nsec) / 1_000_000
}
