// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// What the kernel, or the way to it, refused: what was wanted, of what, and why not.
public struct NetlinkError: Error, Hashable, Sendable {
    /// What was wanted, as the rest of a sentence that begins with “cannot”: “attach the program in native
    /// mode”.
    public var operation: String
    /// What it was wanted of: “interface eth0 (index 4)”.
    public var subject: String
    /// The error number of the kernel.
    public var errno: Errno
    /// The kernel's own explanation (the extended acknowledgement's `NLMSGERR_ATTR_MSG`), where it gave one.
    public var kernelMessage: String?

    /// Says what failed; everything is taken as it is.
    public init(operation: String, subject: String, errno: Errno, kernelMessage: String? = nil) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.kernelMessage = kernelMessage
    }
}

extension NetlinkError: CustomStringConvertible {
    /// One line: what, of what, why, and the kernel's own words.
    public var description: String {
        var line = "cannot \(operation): \(subject): \(errno.description)"
        if let kernelMessage {
            line += ": \(kernelMessage)"
        }
        return String(line.map { $0.isNewline ? " " : $0 })
    }
}
