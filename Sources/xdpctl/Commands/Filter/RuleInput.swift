// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import SystemPackage
import XDP

/// Reads rule files.
enum RuleInput {
    /// The rules of a file; of standard input for `-`.
    static func rules(_ path: String) throws(XDPError) -> RuleSet {
        try RuleFile.parse(try bytes(path), file: path == "-" ? "standard input" : path)
    }

    /// All that a file holds; a little more than a rule file may have is enough to refuse it.
    static func bytes(_ path: String) throws(XDPError) -> [UInt8] {
        let isInput = path == "-"
        let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { if !isInput { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= RuleFile.largestText {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, errno) }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }

    private static func failure(_ path: String, _ number: Int32) -> XDPError {
        XDPError(
            .failed, "The rules cannot be read from \(path == "-" ? "standard input" : path)",
            because: Errno(rawValue: number).description,
            remedy: number == ENOENT ? "Look whether the path is right" : nil)
    }
}
