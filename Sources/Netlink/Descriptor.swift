// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Owns one file descriptor and closes it at the end of its life.
struct Descriptor: ~Copyable, Sendable {
    let raw: CInt

    init(adopting raw: CInt) {
        self.raw = raw
    }

    deinit {
        _ = close(raw)
    }
}

/// Issues a system call that reports failure as a negative result, again after each EINTR.
func systemCall<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = Errno(rawValue: errno)
        if error != .interrupted { throw error }
    }
}
