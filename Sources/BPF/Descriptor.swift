// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Owns one file descriptor and closes it at the end of its life.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid as long as the owner lives.
    public let rawValue: Int32

    /// Takes over a descriptor that nobody else will close.
    public init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit { _ = close(rawValue) }

    /// What the kernel calls the object behind the descriptor, "bpf-map" or "bpf-prog"; nil where /proc does not
    /// tell.
    borrowing func kind() -> String? {
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/fd/\(rawValue)", &target, target.count)
        guard count > 0 else { return nil }
        let text = String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let prefix = "anon_inode:"
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    /// A second descriptor for the same kernel object, closed on exec.
    public borrowing func duplicate() throws(BPFError) -> Descriptor {
        try Self.copy(of: rawValue)
    }

    /// A descriptor for what somebody else's descriptor stands for.
    static func copy(of number: Int32) throws(BPFError) -> Descriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            throw BPFError("duplicate a file descriptor", errno: .init(rawValue: errno))
        }
        return Descriptor(owning: copy)
    }
}
