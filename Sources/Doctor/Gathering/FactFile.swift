// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Files that are read for facts, with the reason where they cannot be.
enum FactFile {
    /// What is in a file; a longer one than `limit` bytes is unknown, since half of it may mean something else.
    static func bytes(of path: String, limit: Int) -> Fact<[UInt8]> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .unknown(reason(path)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit + 1, 64 << 10))
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return .unknown(reason(path)) }
            if count == 0 { return .known(bytes) }
            bytes += buffer.prefix(count)
            if bytes.count > limit { return .unknown("\(path): longer than \(limit) bytes") }
        }
    }

    /// What is in a small file of text, without spaces around it.
    static func text(of path: String) -> Fact<String> {
        bytes(of: path, limit: 16 << 10).read(orUnknown: "") {
            String(decoding: $0, as: UTF8.self).trimmed
        }
    }

    /// What the last call said of a path.
    static func reason(_ path: String) -> String {
        let number = errno
        let advice = number == EACCES || number == EPERM ? " (only root may read it)" : ""
        return "\(path): \(String(cString: strerror(number)))\(advice)"
    }
}
