// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A system call on a packet socket or device that failed.
public struct PacketDeviceError: Error, CustomStringConvertible {
    /// What was tried.
    public let operation: String
    /// Why it failed, as errno(3) has it.
    public let code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    public var description: String {
        "\(operation): \(String(cString: strerror(code)))"
    }

    /// The result of a call that gives a negative number on failure and sets errno.
    @discardableResult
    package static func check<Result: SignedInteger>(
        _ operation: String, _ call: () -> Result
    ) throws(PacketDeviceError) -> Result {
        let result = call()
        guard result >= 0 else { throw PacketDeviceError(operation: operation, code: errno) }
        return result
    }
}

/// The time left until a moment, as poll(2) wants it.
package func pollTimeout(until deadline: ContinuousClock.Instant) -> Int32 {
    let left = deadline - .now
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    // Rounded up, or the last millisecond would be spent without waiting.
    return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
}
