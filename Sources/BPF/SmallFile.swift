// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Files of the kernel's own, such as those below /proc, and other small ones.
public enum SmallFile {
    /// What is in a file, at most `limit` bytes of it; empty where it cannot be read.
    public static func bytes(of path: String, limit: Int = .max) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 16 << 10))
        while bytes.count < limit {
            let count = read(descriptor, &buffer, min(buffer.count, limit - bytes.count))
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }
}
