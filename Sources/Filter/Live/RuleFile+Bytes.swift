// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import XDP

extension RuleFile {
    /// All that a file holds, for ``parse(_:file:)``; a little more than a rule file may have is enough to refuse it.
    ///
    /// - Parameter path: `-` is standard input.
    public static func bytes(of path: String) throws(XDPError) -> [UInt8] {
        let isInput = path == "-"
        let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { if !isInput { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= largestText {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, errno) }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }

    private static func unreadable(_ path: String, _ number: Int32) -> XDPError {
        XDPError(
            .failed, "The rules cannot be read from \(path == "-" ? "standard input" : path)",
            because: Errno(rawValue: number).description,
            remedy: number == ENOENT ? "Look whether the path is right" : nil)
    }
}
