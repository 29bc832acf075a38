// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A request to the kernel or to libbpf that failed: what was attempted, on what, what the kernel said,
/// and what to do now.
public struct BPFError: Error, Sendable, CustomStringConvertible {
    /// What was attempted, as a verb phrase: "load the program".
    public var operation: String
    /// What it was attempted on: "map flows", "/sys/fs/bpf/x". Empty where the operation says it all.
    public var subject: String
    /// The error number, where the kernel or libbpf gave one.
    public var errno: Errno?
    /// What the kernel or libbpf said in words: one line, the one that matters.
    public var kernelMessage: String?
    /// What to do now, as one sentence.
    public var remedy: String?
    /// Everything the verifier printed, when a program was rejected.
    public var verifierLog: VerifierLog?

    public init(
        _ operation: String, on subject: String = "", errno: Errno? = nil, kernelMessage: String? = nil,
        remedy: String? = nil, verifierLog: VerifierLog? = nil
    ) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.kernelMessage = kernelMessage
        self.remedy = remedy
        self.verifierLog = verifierLog
    }

    /// One sentence of what, one of why, one of what to do.
    public var description: String {
        var text = "cannot \(operation)"
        if !subject.isEmpty { text += " (\(subject))" }
        if let errno { text += ": \(errno.description) [\(errno.name)]" }
        if let kernelMessage, !kernelMessage.isEmpty { text += ": \(kernelMessage)" }
        if let remedy { text += ". \(remedy)" }
        return text
    }
}

extension Errno {
    /// The symbolic name, as `man 3 errno` writes it, for the errors that bpf(2), netlink and bpffs give.
    public var name: String {
        switch self {
        case .notPermitted: "EPERM"
        case .noSuchFileOrDirectory: "ENOENT"
        case .interrupted: "EINTR"
        case .ioError: "EIO"
        case .noSuchAddressOrDevice: "ENXIO"
        case .argListTooLong: "E2BIG"
        case .badFileDescriptor: "EBADF"
        case .noMemory: "ENOMEM"
        case .permissionDenied: "EACCES"
        case .badAddress: "EFAULT"
        case .resourceBusy: "EBUSY"
        case .fileExists: "EEXIST"
        case .notDirectory: "ENOTDIR"
        case .isDirectory: "EISDIR"
        case .invalidArgument: "EINVAL"
        case .tooManyOpenFiles: "EMFILE"
        case .noSpace: "ENOSPC"
        case .readOnlyFileSystem: "EROFS"
        case .outOfRange: "ERANGE"
        case .notSupportedOnSocket: "EOPNOTSUPP"
        case .resourceTemporarilyUnavailable: "EAGAIN"
        case .noFunction: "ENOSYS"
        case .noSuchProcess: "ESRCH"
        case Errno(rawValue: 19): "ENODEV"
        case Errno(rawValue: 67): "ENOLINK"
        default: "errno \(rawValue)"
        }
    }
}
